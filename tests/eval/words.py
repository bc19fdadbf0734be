"""Vocabulary of the generated sets: characters and words that names are combined from.

Combined, not listed: two to three of 150 characters make a company's own name (字号), a surname
and one or two of 200 characters a person's, so that names repeat only as often as real ones do.
A profile takes one half of each list (`half`), so that no word of one set must help on the other.
"""

from __future__ import annotations

from collections.abc import Sequence


def _cut(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁"
    "任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严"
    "莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅"
)
"""The 150 commonest, the commonest first; drawn with weights that fall as they do in the census."""
DOUBLE_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "皇甫", "令狐")

GIVEN_MALE = (
    "伟强磊军勇涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢佳阳建亮成畅文峰雷东晨翔杰博志国"
    "振立家永世海江河山川泽润洋毅诚信义礼仁德才学思远致恒坚昊天天晓小子嘉瑞祥福寿康乐兴旺昌盛荣富"
    "庆春秋冬光耀景星辰炎焱锋剑钢铁柱松柏桐楠栋梁森彬武卫民生根发达利通顺保全新元启承继宗祖耕耘"
)
GIVEN_FEMALE = (
    "芳娜敏静丽艳娟霞秀燕玲婷雪慧莹丹红梅莉倩颖洁琳萍兰凤英晶欣悦怡佳蕾薇蓉菲雅琴瑶璐璇琪珊珍珠"
    "玉美妍娇媛婉妮姗姝嫣然诗涵梦晴晓晨曦月云彩虹露霜雯雨思念语文淑贞惠爱华春夏秋菊荷莲桂香桃杏柳"
)
"""A half of each still gives some 5,000 names of two characters and 200,000 of three."""

CORE = (
    "华信达恒盛鑫宏瑞祥泰丰隆昌茂源通顺利安康宁和美佳嘉优博远志诚德正大中天海江河山岳峰云星辰光明"
    "阳晨曦东南西北方圆福禄寿喜金银铜铁钢玉宝珠兴旺发荣富贵锦绣春夏秋冬松柏梅兰竹菊龙凤鹏鹤麒麟腾飞"
    "跃进新创卓越超凡精英智慧慧科力能量动源亿万千百一品元启航帆舟桥路程达联合众汇聚融贯穿凌云霄汉唐"
    "尚品雅致格调欧亚非美澳环宇宙寰球国际世纪时代盈丽宜居爱乐欣怡润泽沐霖沃禾谷麦稻香茗茶壹贝贝康"
)
"""Characters of a company's own name."""

INDUSTRIES = _cut(
    """
    科技 贸易 电子商务 商贸 实业 网络科技 信息技术 机械设备 建筑工程 装饰工程 医疗器械 生物科技
    食品 餐饮管理 服饰 纺织 电子 电器 五金 建材 化工 新材料 物流 供应链管理 国际贸易 进出口
    广告传媒 文化传播 教育咨询 企业管理 环保科技 能源 汽车配件 汽车销售 家具 家居用品 日用品
    化妆品 农业发展 畜牧 水产 包装制品 印刷 塑料制品 橡胶制品 金属制品 精密机械 自动化设备
    仪器仪表 光电科技 半导体 软件 智能科技 健康管理 体育用品 珠宝 工艺品 酒业 茶业 医药 劳务
    物业管理 房地产开发 园林绿化 电力工程 通信技术 安防工程 消防工程 玩具 鞋业
    """
)
TRADES = _cut(
    """
    五金店 小吃店 面馆 超市 便利店 服装店 理发店 建材经营部 水果店 粮油店 药店 烟酒店 百货店
    手机店 家电维修部 汽修厂 养殖场 农资店 早餐店 饭店 副食店 窗帘店 家具厂 废品收购站 茶叶店
    花店 文具店 母婴用品店 门窗加工部 种植专业合作社
    """
)
"""What a 个体工商户 does."""
ENGLISH = {
    "科技": "Technology", "贸易": "Trading", "商贸": "Trading", "实业": "Industrial",
    "电子商务": "E-Commerce", "食品": "Food", "物流": "Logistics", "服饰": "Apparel",
    "电子": "Electronics", "建材": "Building Materials", "化工": "Chemical", "软件": "Software",
    "国际贸易": "International Trading", "进出口": "Import and Export", "医药": "Pharmaceutical",
}  # fmt: skip

STREETS = _cut(
    """
    人民 解放 中山 建设 文化 和平 新华 胜利 长江 黄河 迎宾 学院 体育 滨河 环城 工业 创业 科技
    兴业 朝阳 光明 友谊 团结 幸福 振兴 东风 红旗 青年 花园 公园 金沙 银河 凤凰 龙泉 莲花 桃源
    梧桐 松林 翠竹 玉泉 清江 碧波 西湖 东湖 南湖 北辰 天目 文三 延安 淮海 江南 江北 海滨 云岭
    石桥 望江 临江 古墩 丰潭 学府 府前 站前 港湾 航空 软件园 高新 经一 经三 纬二 纬五 紫金 白云
    天河 越秀 宝山 虹桥 锦绣 明珠 世纪 星湖 苏虹 金鸡 独墅 春申 七莘 沪闵 漕宝 钦江 田林 桂平
    """
)
ROADS = ("路", "路", "路", "街", "大道", "巷", "东路", "西路", "南路", "北路", "中路")
ESTATES = ("小区", "花园", "苑", "家园", "公寓", "新村", "名邸", "华府", "公馆", "里")
TOWERS = ("大厦", "广场", "中心", "国际", "商务楼", "科技园", "产业园", "创业园")
TOWNS = "东西南北石青龙白马黄大新古安平太和永兴双河桥官塘店柳杨李王张沙水山坪坝岭湾溪"
VILLAGES = "上下前后大小东西南北王李张刘陈赵杨石桥庄家屯湾沟坪岗寨河塘井泉岭坡林柳槐"

NICK_HEAD = _cut(
    """
    小 大 阿 爱吃 快乐的 会飞的 孤独的 温柔的 奔跑的 懒懒的 追风 一只 午后 南方 北城 半夏 清风
    星空下的 努力的 佛系 可爱 甜甜的 江南 老 云上 暴走 慵懒 微笑
    """
)
NICK_TAIL = _cut(
    """
    鱼 猫 猫咪 兔子 蜗牛 柠檬 草莓 豆豆 胖子 仙女 少年 旅人 太阳 月亮 星星 火锅 奶茶 咖啡 雨 风
    石头 麦子 向日葵 西瓜 芒果 宝贝 宝妈 掌柜 大叔 小王子
    """
)
NICK_LATIN = ("happy", "sunny", "lucky", "cool", "dream", "star", "blue", "moon", "tiger", "lily",
              "rain", "cloud", "apple", "snow", "king", "baby", "angel", "sky")  # fmt: skip

LOOKALIKE = _cut(
    """
    己已巳 未末 土士 日曰 人入 大太犬 天夫 干千于 午牛 田由甲申 戊戌戍 兔免 鸟乌 今令 折拆 治冶
    晴睛 侯候 陈阵 粟栗 汩汨 刺剌 孑子 准淮 泠冷 崇祟 科料 盈盆 析柝 享亨 宇字 宜宣 壮状 东车
    凤风 几凡 贝见 玉王 明朋 林材 杨扬 徐除 霖霜 嘉喜 博搏 辰晨 鑫金 晓哓 旦且 帅师 师帅 思恩
    欣欢 瑞端 达迖 恒桓 盛盔 源原 沐沭 丰韦 昌吕 茂荗 航舫 腾滕 卓桌 越趣 创刨 沃沋 谷合 禾木
    永水 兰三 康唐 伟炜 强弶 涛淘 辉挥 鹏棚 俊峻 浩洁 敏敝 娟涓 萍苹 梅海 莉利 菲韭 琳淋 婷停
    """
)
"""Groups of characters that are typed or read for each other."""
MERGED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
"""Sounds that many speakers do not tell apart; undone before two characters count as alike."""


def half_of(words: Sequence[str], half: int) -> list[str]:
    """Return every second word, once each, beginning at `half` (0 or 1)."""
    return list(dict.fromkeys(words))[half::2]
