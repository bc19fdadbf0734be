"""Customers, suppliers, companies and people, with their identifiers and addresses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity

# GB 32100-2015: the alphabet leaves out I, O, S, V, Z; the 18th sign is checked with weights
# 3^i modulo 31.
_USCC_RULE = (
    "regexp_full_match(value, '[0-9A-HJ-NP-RTUW-Y]{18}') and "
    "(31 - list_sum(list_transform(range(1, 18), lambda i: "
    "(instr('0123456789ABCDEFGHJKLMNPQRTUWXY', value[i]) - 1) * "
    "([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])[i])) % 31) % 31 "
    "= instr('0123456789ABCDEFGHJKLMNPQRTUWXY', value[18]) - 1"
)


class Party(Entity):
    """Someone the company deals with: a person or an organisation, customer or supplier."""

    entity: ClassVar[str] = "party"
    table: ClassVar[str] = "parties"
    en: ClassVar[str] = "Party"
    zh: ClassVar[str] = "往来单位"
    about: ClassVar[str] = "a person or organisation: customer, supplier, company, employee"
    children: ClassVar = {"identifiers": "party_identifier", "addresses": "address"}

    code: Annotated[
        c.Text, c.text("Code", "编码", "The party's code in the source", natural=True)
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "类型",
            "Decides what is personal: names, phones and addresses of persons are",
            "organization",
            "person",
        ),
    ] = None
    name: Annotated[
        c.Text,
        c.text("Name", "名称", "Name shown to people", privacy="name", person_only=True),
    ] = None
    legal_name: Annotated[
        c.Text,
        c.text("Legal name", "法定名称", "Registered name", privacy="name", person_only=True),
    ] = None
    contact_name: Annotated[
        c.Text,
        c.text("Contact person", "联系人", "Name of the contact person", privacy="name"),
    ] = None
    phone: Annotated[
        c.Text,
        c.text(
            "Phone",
            "电话",
            "Main phone; a mobile number is masked for organisations too",
            natural=True,
            privacy="phone",
            person_only=True,
        ),
    ] = None
    contact_phone: Annotated[
        c.Text,
        c.text("Contact phone", "联系电话", "Phone of the contact person", privacy="phone"),
    ] = None
    email: Annotated[
        c.Text,
        c.text("E-mail", "邮箱", "Main e-mail address", natural=True, privacy="email"),
    ] = None
    uscc: Annotated[
        c.Text,
        c.ruled(
            "Unified social credit code",
            "统一社会信用代码",
            "Identifies a Chinese organisation",
            _USCC_RULE,
            "18 signs with a right check sign (GB 32100)",
            "18 位且校验位正确（GB 32100）",
            natural=True,
        ),
    ] = None
    tax_number: Annotated[
        c.Text,
        c.text(
            "Tax number",
            "税号",
            "Taxpayer number; of a person it is the identity number",
            natural=True,
            privacy="id_no",
            person_only=True,
        ),
    ] = None
    id_number: Annotated[
        c.Text,
        c.text("Identity number", "证件号码", "Identity card or passport number", privacy="id_no"),
    ] = None
    wechat_openid: Annotated[
        c.Text,
        c.text("WeChat openid", "微信 openid", "Id inside one WeChat app", privacy="openid"),
    ] = None
    wechat_unionid: Annotated[
        c.Text,
        c.text(
            "WeChat unionid",
            "微信 unionid",
            "Id over all apps of one WeChat account",
            privacy="openid",
        ),
    ] = None
    bank_name: Annotated[c.Text, c.text("Bank", "开户行", "Bank of the account")] = None
    bank_account: Annotated[
        c.Text,
        c.text("Bank account", "银行账号", "Account number", privacy="bank", person_only=True),
    ] = None
    is_customer: Annotated[c.Flag, c.flag("Is customer", "是客户", "Buys from the company")] = None
    is_supplier: Annotated[c.Flag, c.flag("Is supplier", "是供应商", "Sells to the company")] = None
    is_employee: Annotated[c.Flag, c.flag("Is employee", "是员工", "Works for the company")] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "State of the master record",
            "active",
            "inactive",
            "archived",
            "erased",
        ),
    ] = None
    lifecycle: Annotated[
        c.Text,
        c.word(
            "Lifecycle",
            "生命周期",
            "Where the party stands in the sales process",
            "lead",
            "prospect",
            "customer",
            "partner",
            "lost",
        ),
    ] = None
    category: Annotated[
        c.Text, c.text("Category", "分类", "Customer group or class in the source")
    ] = None
    level: Annotated[c.Text, c.text("Level", "等级", "Membership or credit level")] = None
    industry: Annotated[c.Text, c.text("Industry", "行业", "Industry as the source names it")] = (
        None
    )
    employee_count: Annotated[
        c.Whole, c.integer("Employees", "员工人数", "Number of employees")
    ] = None
    website: Annotated[c.Text, c.text("Website", "网址", "Address of the website")] = None
    language: Annotated[c.Text, c.text("Language", "语言", "BCP 47 tag, zh-CN")] = None
    country: Annotated[c.Text, c.country()] = None
    region: Annotated[c.Text, c.text("Province", "省份", "First level below the country")] = None
    city: Annotated[c.Text, c.text("City", "城市", "City of the main address")] = None
    address: Annotated[
        c.Text,
        c.text(
            "Address",
            "地址",
            "Main address in one line; further ones are rows of addresses",
            privacy="address",
            person_only=True,
        ),
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    price_list: Annotated[
        c.Text, c.text("Price list", "价目表", "Price list used for the party")
    ] = None
    payment_terms: Annotated[
        c.Text, c.text("Payment terms", "付款条件", "Terms as the source names them")
    ] = None
    credit_limit: Annotated[
        c.Number, c.money("Credit limit", "信用额度", "Highest open amount allowed")
    ] = None
    balance: Annotated[
        c.Number, c.money("Balance", "余额", "Open amount, owed to us if positive")
    ] = None
    organization_key: Annotated[
        c.Text, c.organization("使用组织", "Own legal entity that uses the record")
    ] = None
    owner_key: Annotated[
        c.Text, c.text("Owner", "负责人", "Employee in charge, as the source keys it")
    ] = None
    parent_party_key: Annotated[
        c.Text,
        c.key(
            "Parent party",
            "上级单位",
            "The party it belongs to",
            ref="party",
            resolved="parent_party_id",
        ),
    ] = None
    tags: Annotated[c.Json, c.json("Tags", "标签", "Labels given in the source")] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class PartyIdentifier(Entity):
    """One identifier of a party; what parties of several systems are matched by."""

    entity: ClassVar[str] = "party_identifier"
    table: ClassVar[str] = "party_identifiers"
    en: ClassVar[str] = "Party identifier"
    zh: ClassVar[str] = "单位标识"
    about: ClassVar[str] = "a phone, e-mail, tax number or other identifier of a party"
    parent: ClassVar[str | None] = "party"

    scheme: Annotated[
        c.Text,
        c.word(
            "Scheme",
            "标识类型",
            "What kind of identifier the value is; decides how it is masked",
            "email",
            "phone",
            "uscc",
            "tax_number",
            "id_number",
            "wechat_openid",
            "wechat_unionid",
            "alipay_id",
            "bank_account",
            "external_code",
            "domain",
        ),
    ] = None
    value: Annotated[
        c.Text,
        c.text(
            "Value",
            "标识值",
            "The identifier as the source wrote it",
            privacy="id_no",
            person_only=True,
        ),
    ] = None
    is_verified: Annotated[c.Flag, c.flag("Verified", "已验证", "The source has verified it")] = (
        None
    )
    is_masked: Annotated[
        c.Flag, c.flag("Masked at source", "源已脱敏", "The source sends only 138****5678")
    ] = None


class Address(Entity):
    """One postal address of a party."""

    entity: ClassVar[str] = "address"
    table: ClassVar[str] = "addresses"
    en: ClassVar[str] = "Address"
    zh: ClassVar[str] = "地址"
    about: ClassVar[str] = "a postal address of a party"
    parent: ClassVar[str | None] = "party"

    role: Annotated[
        c.Text,
        c.word(
            "Role",
            "用途",
            "What the address is for",
            "billing",
            "shipping",
            "registered",
            "warehouse",
            "other",
        ),
    ] = None
    contact_name: Annotated[
        c.Text, c.text("Receiver", "收件人", "Person at the address", privacy="name")
    ] = None
    contact_phone: Annotated[
        c.Text, c.text("Receiver's phone", "收件人电话", "Phone at the address", privacy="phone")
    ] = None
    company: Annotated[c.Text, c.text("Company", "公司", "Organisation at the address")] = None
    line1: Annotated[
        c.Text,
        c.text(
            "Address line 1", "地址行一", "Street and number", privacy="address", person_only=True
        ),
    ] = None
    line2: Annotated[
        c.Text,
        c.text("Address line 2", "地址行二", "Building, room", privacy="address", person_only=True),
    ] = None
    full_address: Annotated[
        c.Text,
        c.text(
            "Full address",
            "完整地址",
            "The address in one line where the source has no parts",
            privacy="address",
            person_only=True,
        ),
    ] = None
    district: Annotated[
        c.Text,
        c.text("District", "区县", "Below the city", privacy="address", person_only=True),
    ] = None
    city: Annotated[c.Text, c.text("City", "城市", "City")] = None
    region: Annotated[c.Text, c.text("Province", "省份", "First level below the country")] = None
    region_code: Annotated[
        c.Text, c.text("Region code", "省份代码", "Code of the region in the source")
    ] = None
    adcode: Annotated[
        c.Text, c.text("Division code", "行政区划代码", "GB/T 2260 code, six digits")
    ] = None
    postal_code: Annotated[
        c.Text,
        c.text("Postal code", "邮政编码", "Postal code", privacy="address", person_only=True),
    ] = None
    country: Annotated[c.Text, c.country()] = None
    is_default: Annotated[c.Flag, c.flag("Default", "默认地址", "Used where none is named")] = None
