"""A user's query: one SELECT, checked by its words so that it can stand as a subquery."""

from __future__ import annotations

from connectors.errors import ConfigError

_BEGIN = ("SELECT", "WITH", "(")
_NEVER = {
    "ALTER", "CALL", "COMMIT", "COPY", "CREATE", "DELETE", "DROP", "EXEC", "EXECUTE", "GRANT",
    "INSERT", "INTO", "KILL", "LOCK", "MERGE", "REVOKE", "ROLLBACK", "TRUNCATE", "UPDATE",
}  # fmt: skip


def check_query(text: str) -> str:
    """Return the query without its last semicolon; raises ConfigError where it is not one SELECT.

    The words are looked at, not the grammar: each database has its own. A quoted name may be any
    word; a query that would leave its parentheses is refused.
    """
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import SqlglotError

    try:
        tokens = tokenize(text)
    except SqlglotError:
        raise ConfigError(
            "The query cannot be read: a quote or a comment is not closed.", "close it."
        ) from None
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        text = text[: tokens.pop().start].rstrip()
    if not tokens or tokens[0].text.upper() not in _BEGIN:
        raise ConfigError("The query is no SELECT.", "write one SELECT (WITH may stand before it).")
    depth = 0
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            raise ConfigError("The query is more than one statement.", "write one SELECT.")
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0:
            break
        before = text[max(token.start - 1, 0) : token.start + 1]
        quoted = any(sign in before for sign in "'\"[`")
        if token.text.upper() in _NEVER and not quoted:
            raise ConfigError(
                f"The query has the word {token.text.upper()}: only SELECT is run.",
                "put a column of that name in quotes, or make a view in the database.",
            )
    if depth:
        raise ConfigError("The query's parentheses do not match.", "check them.")
    return text
