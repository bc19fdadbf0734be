"""Fill a fresh Tryton database with a small company's year; run by Tryton's own interpreter.

usage: TRYTOND_CONFIG=trytond.conf seed.py DATABASE. In-process, through Tryton's own client.
"""

import datetime as dt
import os
import random
import sys
from decimal import Decimal

from proteus import Model, Wizard, config

PASSWORD = "reader-Pass-word-1"
PARTIES, PRODUCTS, SALES = 13, 8, 20
READ = (
    "sale.sale", "sale.line", "stock.shipment.out", "stock.move", "account.invoice",
    "account.invoice.line", "account.move", "account.move.line", "account.account",
    "account.account.type", "account.journal", "sale.opportunity",
)  # fmt: skip

server = config.set_trytond(sys.argv[1], user="admin", config_file=os.environ["TRYTOND_CONFIG"])

from trytond.modules.account.tests.tools import (  # noqa: E402
    create_chart,
    create_fiscalyear,
    create_tax,
    get_accounts,
)
from trytond.modules.account_invoice.tests.tools import (  # noqa: E402
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company, get_company  # noqa: E402
from trytond.modules.currency.tests.tools import get_currency  # noqa: E402

chance = random.Random(8)
get = Model.get
today = dt.date.today()  # noqa: DTZ011 - the server's own day


def rates() -> None:
    """Rates of three currencies; from February on the company's own is no longer 1."""
    Rate = get("currency.currency.rate")
    for code, month, rate in (
        ("CNY", 1, "1"), ("CNY", 2, "1.25"), ("USD", 1, "0.14"), ("EUR", 1, "0.125"),
        ("EUR", 2, "0.125"),
    ):  # fmt: skip
        Rate(currency=get_currency(code), date=dt.date(2026, month, 1), rate=Decimal(rate)).save()


def company() -> None:
    own = get("party.party")(name="统一商店有限公司")
    own.save()
    create_company(party=own, currency=get_currency("CNY"))
    User = get("res.user")
    server._context = User.get_preferences(True, server.context)
    create_chart()
    year = set_fiscalyear_invoice_sequences(create_fiscalyear())
    year.click("create_period")
    person = get("party.party")(name="员工甲")
    person.save()
    employee = get("company.employee")(party=person, company=get_company())
    employee.save()
    user = User(server.user)
    user.employees.append(employee)
    user.employee = employee
    user.save()
    server._context = User.get_preferences(True, server.context)


def reader() -> None:
    """Make the technical user that docs/tryton.md asks for: a group that may read, no more."""
    group = get("res.group")(name="Isthmus")
    group.save()
    for model in READ:
        right = get("ir.model.access")(model=model, group=group)
        right.perm_read = True
        right.perm_write = right.perm_create = right.perm_delete = False
        right.save()
    User = get("res.user")
    User._proxy.create(
        [
            {
                "name": "Isthmus", "login": "isthmus", "password": PASSWORD,
                "companies": [("add", [server.context["company"]])],
                "company": server.context["company"], "groups": [("add", [group.id])],
            }
        ],
        server.context,
    )  # fmt: skip


def parties() -> list[Model]:
    made = []
    for n in range(PARTIES):
        party = get("party.party")(name=f"客户{n:02d}有限公司")
        address = party.addresses[0]
        address.street, address.postal_code = f"人民路{n}号", f"20{n:04d}"
        address.city = chance.choice(["上海", "深圳", "杭州"])
        for kind, value in (("email", f"c{n}@example.com"), ("phone", f"+86 138 0000 {n:04d}")):
            way = party.contact_mechanisms.new()
            way.type, way.value = kind, value
        made.append(party)
    get("party.party").save(made)
    return made


def products(accounts: dict[str, Model]) -> list[Model]:
    tax = create_tax(Decimal("0.13"))
    tax.save()
    category = get("product.category")(name="13%")
    category.accounting = True
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    (unit,) = get("product.uom").find([("symbol", "=", "u")], limit=1)
    (kilogram,) = get("product.uom").find([("symbol", "=", "kg")], limit=1)
    made = []
    for n in range(PRODUCTS):
        template = get("product.template")(name=f"产品{n:02d}")
        template.default_uom = kilogram if n == 0 else unit
        template.type, template.salable = "goods", True
        template.list_price = Decimal(chance.randint(500, 90000)) / 100
        template.account_category = category
        template.products[0].suffix_code = f"SKU-{n:03d}"
        made.append(template)
    get("product.template").save(made)
    return [template.products[0] for template in made]


def stock(goods: list[Model]) -> None:
    Location = get("stock.location")
    (storage,) = Location.find([("code", "=", "STO")])
    shelf = Location(name="Shelf A", code="A1", type="storage", parent=storage)
    shelf.save()
    for place, count, amount in ((storage, len(goods), 500.0), (shelf, 3, 12.0)):
        inventory = get("stock.inventory")(location=place)
        for product in goods[:count]:
            line = inventory.lines.new(product=product)
            line.quantity = amount + (0.3 if product.default_uom.symbol == "kg" else 0.0)
            line.expected_quantity = 0.0
        inventory.save()
        inventory.click("confirm")


def sales(customers: list[Model], goods: list[Model], term: Model) -> list[Model]:
    (warehouse,) = get("stock.location").find([("type", "=", "warehouse")])
    values = []
    for n in range(SALES):
        party = customers[n % (len(customers) - 1)]  # the last one never ordered
        lines = [
            {
                "type": "line", "product": product.id, "unit": product.default_uom.id,
                "quantity": chance.randint(1, 9) + (0.1 if product.default_uom.digits else 0.0),
                "unit_price": product.template.list_price,
                "taxes": [("add", [t.id for t in product.account_category.customer_taxes])],
            }
            for product in chance.sample(goods, chance.randint(1, 4))
        ]  # fmt: skip
        lines.append({"type": "comment", "description": "轻放"})
        values.append(
            {
                "party": party.id, "invoice_address": party.addresses[0].id,
                "shipment_address": party.addresses[0].id, "payment_term": term.id,
                "currency": get_currency("CNY").id, "company": server.context["company"],
                "warehouse": warehouse.id, "reference": f"WEB-{n:05d}", "sale_date": today,
                "invoice_method": "order", "shipment_method": "order",
                "lines": [("create", lines)],
            }
        )  # fmt: skip
    Sale = get("sale.sale")
    made = [Sale(one) for one in Sale._proxy.create(values, server.context)]
    agreed = made[: SALES - 4]
    for begin in range(0, len(agreed), 8):
        Sale.click(agreed[begin : begin + 8], "quote")
        Sale.click(agreed[begin : begin + 8], "confirm")
    Sale.click(made[-1:], "cancel")
    return made


def carry_out(accounts: dict[str, Model], orders: list[Model]) -> None:
    Shipment = get("stock.shipment.out")
    leaving = Shipment.find([("state", "in", ["waiting", "draft"])])
    for step in ("assign_try", "pick", "pack", "do"):
        Shipment.click(leaving[:8], step)
    Shipment.click(leaving[8:10], "assign_try")
    Invoice = get("account.invoice")
    bills = Invoice.find([("type", "=", "out"), ("state", "=", "draft")])[:8]
    for bill in bills:
        bill.invoice_date = today
    Invoice.save(bills)
    Invoice.click(bills, "post")
    (journal,) = get("account.journal").find([("type", "=", "cash")], limit=1)
    method = get("account.invoice.payment.method")(name="银行转账", journal=journal)
    method.credit_account = method.debit_account = accounts["cash"]
    method.save()
    for bill in bills[:4]:
        pay = Wizard("account.invoice.pay", [bill])
        pay.form.payment_method, pay.form.date = method, today
        pay.execute("choice")
    back = Wizard("sale.return_sale", [orders[0]])
    back.execute("return_")


def chances(customers: list[Model]) -> None:
    made = []
    for n, party in enumerate(customers):
        one = get("sale.opportunity")(party=party, description=f"商机{n}", start_date=today)
        one.amount, one.conversion_probability = Decimal(chance.randint(1000, 90000)), 0.3
        made.append(one)
    get("sale.opportunity").save(made)


def main() -> None:
    company()
    rates()
    reader()
    accounts = get_accounts()
    term = create_payment_term()
    term.save()
    customers, goods = parties(), products(accounts)
    stock(goods)
    orders = sales(customers, goods, term)
    carry_out(accounts, orders)
    chances(customers)


main()
