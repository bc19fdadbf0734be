"""The texts of the queries, made of the catalogue; a test holds each against the schema."""

from __future__ import annotations

from dataclasses import replace

from connectors.shopify.catalogue import Inner, Source

_END = "pageInfo { hasNextPage endCursor }"

OPENING = "query Opening { currentAppInstallation { accessScopes { handle } } }"
SHOP = "query Shop { shop { name myshopifyDomain currencyCode ianaTimezone } }"
OPERATION = (
    "query Operation($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount"
    " rootObjectCount fileSize url createdAt } }"
)
START = (
    "mutation Start($query: String!) { bulkOperationRunQuery(query: $query) {"
    " bulkOperation { id status createdAt } userErrors { field message code } } }"
)


def record(source: Source, *, personal: bool) -> str:
    """Return the fields of one record, with the first page of its lines."""
    if source.inner:
        fields = source.inner.fields
    elif source.listed:
        fields = source.each
    else:
        fields = f"{source.fields} {source.personal}" if personal else source.fields
    return f"{fields} {_first(source.lines)}" if source.lines else fields


def page(source: Source, *, personal: bool) -> str:
    """Return the query for a page of a list, of the variables first, query and after."""
    order = "sortKey: ID" if source.ordered else "after: $after"
    more = "" if source.ordered else ", $after: String"
    given = ", ".join(filter(None, ("first: $first, query: $query", order, source.arguments)))
    return (
        f"query Page($first: Int!, $query: String{more}) {{ {source.root}({given}) {{"
        f" nodes {{ {_node(source, personal)} }} {_END} }} }}"
    )


def more(inner: Inner, fields: str, stamp: str = "") -> str:
    """Return the query for a later page of a connection inside an object."""
    return (
        f"query More($id: ID!, $after: String) {{ {inner.owner}(id: $id) {{ id {stamp}"
        f" {inner.name}(first: {inner.more}, after: $after) {{ nodes {{ {fields} }} {_END} }} }} }}"
    )


def one(inner: Inner, fields: str) -> str:
    """Return the query for one record by its id, with the first page of its lines."""
    return f"query One($id: ID!) {{ {inner.owner}(id: $id) {{ {fields} }} }}"


def counted(source: Source) -> str:
    """Return the query that counts a list, up to a limit."""
    return f"query Counted($limit: Int) {{ {source.counted}(limit: $limit) {{ count }} }}"


def counted_by(source: Source, *, searched: bool) -> str:
    """Return the query that counts what a search finds, without a limit."""
    kind, given = ("$limit: Int", "limit: $limit")
    if searched:
        kind, given = f"{kind}, $query: String", f"{given}, query: $query"
    return f"query CountedBy({kind}) {{ {source.counted}({given}) {{ count precision }} }}"


def bulk(source: Source, *, personal: bool) -> str:
    """Return the query of a bulk operation over the whole list: no pages, sizes or variables."""
    if source.inner:
        node = f"{source.fields} {_edges(source.inner)}"
    else:
        bare = record(replace(source, lines=None), personal=personal)
        node = f"{source.fields} {source.listed} {{ {bare} }}" if source.listed else bare
        node += f" {_edges(source.lines)}" if source.lines else ""
    given = f"({source.arguments})" if source.arguments else ""
    return f"{{ {source.root}{given} {{ edges {{ node {{ {node} }} }} }} }}"


def _node(source: Source, personal: bool) -> str:
    fields = record(source, personal=personal)
    if source.inner:
        return f"{source.fields} {_first(replace(source.inner, fields=fields))}"
    return f"{source.fields} {source.listed} {{ {fields} }}" if source.listed else fields


def _first(inner: Inner) -> str:
    return f"{inner.name}(first: {inner.size}) {{ nodes {{ {inner.fields} }} {_END} }}"


def _edges(inner: Inner) -> str:
    return f"{inner.name} {{ edges {{ node {{ {inner.fields} }} }} }}"
