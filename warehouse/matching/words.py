"""Words that carry no identity in names of companies and persons, and signs that look alike."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


# Legal forms, the longest first, and what each means for comparing: a limited company is the same
# under each of its spellings; a joint-stock company may be another one of the group.
FORMS: tuple[tuple[str, str], ...] = (
    ("股份有限责任公司", "plc"),
    ("有限责任公司", "ltd"),
    ("股份有限公司", "plc"),
    ("有限总公司", "ltd"),
    ("有限公司", "ltd"),
    ("股份公司", "plc"),
    ("总公司", "ltd"),
    ("有限", "ltd"),
    ("公司", "ltd"),
)
LATIN_FORMS: tuple[tuple[str, str], ...] = (
    ("co ltd", "ltd"),
    ("company limited", "ltd"),
    ("pty ltd", "ltd"),
    ("pte ltd", "ltd"),
    ("private limited", "ltd"),
    ("limited", "ltd"),
    ("ltd", "ltd"),
    ("incorporated", "inc"),
    ("inc", "inc"),
    ("corporation", "inc"),
    ("corp", "inc"),
    ("gmbh", "gmbh"),
    ("llc", "ltd"),
    ("plc", "plc"),
    ("company", "ltd"),
    ("co", "ltd"),
    ("ag", "ag"),
    ("bv", "bv"),
    ("sarl", "sarl"),
    ("srl", "srl"),
)
# Ends of organisations' names that are part of the name.
BODIES = _words(
    "集团 控股 厂 合作社 事务所 银行 医院 学校 大学 学院 中学 小学 幼儿园 研究院 研究所 "
    "工作室 商行 经营部 商店 超市 药房 药店 诊所 酒店 宾馆 饭店 餐厅 餐馆 批发部 贸易行 "
    "五金行 门市部 服务部 协会 基金会 委员会 管理局 中心 门店 专营店 旗舰店 专卖店 便利店 "
    "加工厂 出版社 报社 影城 农场 俱乐部 合伙企业 企业 商贸 商场 商城"
)
# What a company does: behind the trade name, often left out of short forms.
TRADES = _words(
    "信息技术 信息科技 网络科技 网络技术 电子商务 电子科技 生物科技 生物技术 智能科技 新能源 "
    "新材料 医疗器械 文化传媒 文化传播 供应链管理 供应链 企业管理 管理咨询 进出口 国际贸易 "
    "国际物流 科技 技术 信息 网络 软件 贸易 商贸 实业 产业 工业 电子 电器 电气 机电 机械 "
    "设备 制造 建筑 建设 建材 装饰 装修 工程 物流 运输 货运 快递 仓储 食品 餐饮 酒店 酒业 "
    "服饰 服装 纺织 化工 化学 医药 药业 医疗 器械 生物 环保 环境 能源 电力 投资 资本 管理 "
    "咨询 顾问 文化 传媒 传播 广告 教育 培训 智能 自动化 汽车 配件 汽配 五金 塑料 塑胶 橡胶 "
    "包装 印刷 家具 家居 农业 农牧 国际 发展 服务 股份 控股 金融 置业 地产 房地产 物业 矿业 "
    "钢铁 金属 材料 光电 仪器 仪表 模具 日化 化妆品 美容 母婴 玩具 体育 旅游 旅行社 珠宝 "
    "商业 百货 超市 贸 通信 通讯 数码 数据 开发 集成 系统 安防 消防 照明 灯饰 陶瓷 皮革 鞋业 "
    "制衣 水产 粮油 茶业 饮料 乳业 制药 集团"
)
BRANCH = (
    r"(?:[^()]{0,12}?(?:分公司|分店|分厂|分行|支行|分部|办事处|营业部|营业厅|门市部|服务部|经营部"
    r"|专营店|旗舰店|专卖店|门店|仓库|食堂|工厂|店)|第?[一二三四五六七八九十0-9]+(?:厂|部|店|号店|车间|分厂))"
)
# Names that are nobody's.
NOBODY = frozenset(
    _words(
        "无 無 测试 test 未知 匿名 匿名用户 客户 顾客 散客 零售 零售客户 临时客户 临时 默认 "
        "默认客户 其他 其它 n/a na null none nil 不详 未填写 未提供 会员 用户 微信用户 淘宝用户 "
        "新客户 游客 guest user unknown customer admin 个人 待定 待补充 空 保密 没有 不知道 - -- "
        ". / 女士 先生 小姐 客服 收件人 联系人 测试客户 测试用户 walk-in anonymous default "
        "现金客户 门店客户 普通会员"
    )
)
HONORIFICS = _words(
    "先生 女士 小姐 太太 经理 总经理 总监 老师 老板 师傅 会计 主任 主管 工程师 医生 律师 "
    "同学 阿姨 大哥 大姐 总 工 哥 姐 董 科长 部长 处长 店长 采购 财务"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁"
    "沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎闫薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武"
    "戚莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪"
    "梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车"
    "项连芦麦褚娄窦戈岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲"
    "虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海"
    "阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戎伏鹿薄邸雍辜羊阿"
    "乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戴勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智"
    "幸奉植富尧闭由"
)
SURNAMES = frozenset(_SURNAMES) | frozenset(
    _words(
        "欧阳 上官 皇甫 令狐 诸葛 司徒 司马 申屠 夏侯 贺兰 完颜 慕容 尉迟 长孙 东方 南宫 独孤 "
        "公孙 端木 轩辕 太史 钟离 宇文 濮阳 淳于 单于 百里 呼延 闾丘"
    )
)
# Surnames that are read otherwise than the sign is.
SURNAME_SOUNDS = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou", "朴": "piao",
    "盖": "ge", "任": "ren", "翟": "zhai", "乐": "yue", "缪": "miao", "尉迟": "yuchi", "冼": "xian",
    "覃": "qin", "员": "yun", "折": "she", "黑": "he", "种": "chong", "秘": "bi", "召": "shao",
    "长孙": "zhangsun", "华": "hua", "宁": "ning", "沈": "shen", "车": "che", "石": "shi",
    "万": "wan", "俞": "yu", "贾": "jia", "柏": "bai", "葛": "ge", "纪": "ji", "燕": "yan",
    "令狐": "linghu", "吕": "lv", "郇": "xun", "隗": "wei", "殷": "yin", "强": "qiang",
}  # fmt: skip
# Signs that the eye or a scan takes for one another; each group is written as its first sign.
ALIKE = _words(
    "己已巳 末未朱宋 土士 日曰 人入八 天夭夫 千干于 甲申由田中 泰秦奉春奏 科料 技枝伎 贸贺 "
    "博搏傅膊 锦绵棉 恒桓 辉挥浑 瑞端湍 祥详样洋 昌冒晶 明朋 宇字守 国图围因困固 丰半 "
    "佳住往隹任仕 信倍 海悔梅诲 江汪红 河何阿 新斯 永水 冰沐 金全 银很根 龙尤 凤风夙 东车 "
    "西酉 大太犬 元无兀 光先 李季秀孝 王玉主壬 陈阵 杨扬场汤肠 赵越 周同 吴昊吾 徐除途 高亮 "
    "林材村杯 郭敦 马鸟乌 梁粱染 郑邓邦郎 韩翰朝 唐康庸 冯玛 曹遭 袁哀衰 许计讨 沈沉枕 "
    "卢户庐芦 贾贯 阎闫间问闰闻闲 余佘 潘播 杜社壮牡 戴载栽裁截 夏复厦 范苑 石右古 姚桃挑 "
    "谭潭 邹刍 陆际 郝赫 白自百 崔催摧推 毛手 邱丘岳 史吏 侯候 邵绍召昭 孟盂益 段缎 雷雪 "
    "钱浅线 尹伊 常裳棠堂 武式 乔桥侨 龚袭 文丈 晴睛清请情晴 折拆析 辩辨辫 峰锋烽蜂 晨辰 "
    "皓浩 宏弘 诚城成 源原 圆园 凯岂 荣荥 盛晟 茂荗 崇祟 密蜜 治冶 汇江 拔拨 洁浩 令今 券卷 "
    "侍待 诗持 徒陡 历厉 励厉 亨享 粟栗 炙灸 茶荼 戍戌戊 刀力刁 贝见 乎平 仑伦轮 免兔 司句旬 "
    "斤斥 币市 幻幼 延廷 伟纬 俊峻骏浚 涛祷 超起 军车 勇男 磊蕾 静净 敏每 丽俪 艳滟 娟捐 "
    "霞霄 燕莺 玲铃怜 芳芬 莉利 刚钢纲 杰烈 飞气 鹏膨 欣欧 怡治 婷停 雅稚 颖颍 琳淋 萍苹 "
    "莹萤营 倩情 慧彗 瑶遥摇 嘉喜 鸿鹄 腾滕 翔翱 达迏 迅讯 联朕 铭名 硕顾 鼎晶 盈盁 富福 "
    "裕浴俗 利和 通诵 亚业 美羊 蓝篮 星皇 华毕 正止 安按 顺须 隆降 捷婕 德得 维唯惟 拓柘 "
    "卓早 越起 创刨 科秆 启启 和种 润涧 沃沐 泽择译 鑫淼 森淼 晶品 炬矩 航杭 帆帜 诺喏 普晋 "
    "佑佐 伯泊 睿浚 哲誓 轩斩 逸免 思恩 恩思 慈磁 婉碗 薇微徽 蓉容 茜西 黛袋 蕊芯 芸云 昕听 "
    "旭旮 昱立 晖挥 煜昱 烁砾 炎焱 焕换 煌皇"
)
# Parts before the @ that are nobody's mailbox, and domains kept for examples.
NO_MAILBOX = (
    "test", "tests", "testing", "noreply", "no-reply", "none", "null", "nil", "na", "n/a", "abc",
    "abcd", "123", "1234", "12345", "123456", "aaa", "xxx", "example", "user", "unknown", "wu",
    "asdf", "qwe", "a", "1", "111", "000", "no", "email", "mail", "nobody", "anonymous",
)  # fmt: skip
NO_DOMAIN = (
    "example.com", "example.org", "example.net", "test.com", "test.cn", "aaa.com", "abc.com",
    "xxx.com", "none.com", "null.com", "a.com", "123.com", "localhost", "example.cn", "no.com",
)  # fmt: skip
