"""Statements of every page: compiled once for a dialect, then carried out by the database's own driver.

The driver's way to the rows costs a sixth of SQLAlchemy's (`python -m benchmarks.statements`, docs/decisions/0010), and a
page takes about thirty: for these, SQLAlchemy only writes the SQL. All others go through `Connection.execute`. Whatever the
driver raises is translated by `Catalogue.transaction` and `snapshot`.
"""

from __future__ import annotations

import json
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles

Row = Any
"""A tuple whose columns have their names."""
_DIALECTS: dict[str, sa.Dialect] = {"sqlite": sqlite.dialect(paramstyle="named"), "postgresql": postgresql.psycopg.dialect()}  # type: ignore[no-untyped-call]


def given(name: str) -> sa.BindParameter[Any]:
    """A parameter."""
    return sa.bindparam(name, required=False)


class Among(sa.ColumnElement[Any]):
    """A column's value is one of a list: one parameter, whatever its length, so that the statement stays the same."""

    inherit_cache = False

    def __init__(self, column: sa.Column[Any], name: str) -> None:
        self.column, self.values = column, given(name)


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: Any, **how: Any) -> str:
    column, values = (compiler.process(part, **how) for part in (element.column, element.values))
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  both are SQLAlchemy's own


@compiles(Among, "postgresql")
def _among_postgresql(element: Among, compiler: Any, **how: Any) -> str:
    return f"{compiler.process(element.column, **how)} = ANY({compiler.process(element.values, **how)})"


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    fixed: Mapping[str, Any]
    """values that stand in the statement itself"""
    lists: tuple[str, ...]
    """parameters that are lists and go as JSON"""
    row: Callable[[Iterable[Any]], Row] | None
    """None where no column needs more than its name"""


class Prepared:
    """A statement whose parameters are given by name, or what makes it for a dialect by its name. `columns`: those that an
    INSERT or UPDATE sets."""

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Any, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, tx: sa.Connection, values: Mapping[str, Any]) -> list[Row]:
        """What it finds, or returns."""
        compiled = self._for(tx.dialect.name)
        made: Any = compiled.row
        return [made(row) for row in self._cursor(tx, compiled, values).fetchall()]

    def tuples(self, tx: sa.Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The same as the driver gives them: for many rows of two or three numbers."""
        return list(self._cursor(tx, self._for(tx.dialect.name), values).fetchall())

    def first(self, tx: sa.Connection, values: Mapping[str, Any]) -> Row | None:
        """The first row that it finds, if any."""
        found = self.rows(tx, values)
        return found[0] if found else None

    def run(self, tx: sa.Connection, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        return int(self._cursor(tx, self._for(tx.dialect.name), values).rowcount)

    def run_many(self, tx: sa.Connection, several: Iterable[Mapping[str, Any]]) -> None:
        """The same for each of them."""
        compiled = self._for(tx.dialect.name)
        cursor = _driver(tx).cursor()
        cursor.executemany(compiled.sql, [{**compiled.fixed, **values} for values in several])

    def _cursor(self, tx: sa.Connection, compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        if compiled.fixed or compiled.lists:
            values = {**compiled.fixed, **values}
            for name in compiled.lists:
                values[name] = _json(values[name])
        return _driver(tx).execute(compiled.sql, values)

    def _for(self, dialect: str) -> _Compiled:
        compiled = self._compiled.get(dialect)
        if compiled is None:
            compiled = self._compiled[dialect] = self._compile(_DIALECTS[dialect])
        return compiled

    def _compile(self, dialect: sa.Dialect) -> _Compiled:
        statement = self._statement(dialect.name) if isinstance(self._statement, FunctionType) else self._statement
        found = statement.compile(dialect=dialect, column_keys=self._columns, compile_kwargs={"render_postcompile": True})
        fixed = {name: value for name, value in found.params.items() if isinstance(value, (str, float)) or type(value) in (int, bool)}
        several = tuple(sorted(set(re.findall(r"json_each\(:(\w+)\)", str(found)))))
        return _Compiled(sql=str(found), fixed=fixed, lists=several, row=_row(found, dialect))


_json = json.JSONEncoder(separators=(",", ":")).encode


def _driver(tx: sa.Connection) -> Any:
    return tx.connection.driver_connection


def _row(found: Any, dialect: sa.Dialect) -> Callable[[Iterable[Any]], Row] | None:
    """Makes a row of what the driver gives: its names, and the booleans that SQLite does not have."""
    columns = list(getattr(found.statement, "exported_columns", ()))
    if not columns:
        return None
    named = namedtuple("Row", [column.name for column in columns])  # type: ignore[misc]  # names come from the statement
    booleans = [place for place, column in enumerate(columns) if isinstance(column.type, sa.Boolean)]
    if not booleans or dialect.name != "sqlite":
        return named._make

    def make(values: Iterable[Any]) -> Row:
        row = list(values)
        for place in booleans:
            row[place] = None if row[place] is None else bool(row[place])
        return named._make(row)

    return make
