"""Values of a file become a row of the right types, or are refused by name."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from riskwatch.store.sql.rows import coded, decoded
from riskwatch.store.sql.tables import metadata
from tests.store.every_table import ODD

TABLES = list(metadata.tables.values())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2026-03-04T12:00:00+00:00", "0001-01-01T00:00:00+23:59", "AAAA", "[1]", "[" * 2000])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


@given(st.data())
def test_whatever_a_file_says_is_a_row_or_a_value_error(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(TABLES))
    values = {column.name: data.draw(VALUES) for column in table.columns}

    refused = ""
    try:
        row = decoded(table, values)
    except ValueError as error:
        refused = str(error)
    else:
        assert decoded(table, coded(table, row)) == row

    assert not refused or refused.startswith(f"{table.name}.")


@given(st.data())
def test_a_row_comes_back_from_its_coded_values(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(TABLES))

    def of(kind: type, nullable: bool) -> Any:
        odd = st.sampled_from(ODD[kind])
        return data.draw(odd | st.none() if nullable else odd)

    row = {column.name: of(type(column.type), bool(column.nullable)) for column in table.columns}
    again = decoded(table, coded(table, row))

    assert {name: value or None for name, value in again.items()} == {
        name: value or None for name, value in row.items()
    }
    assert {type(value) for value in again.values()} <= {type(value) for value in row.values()} | {type(None)}
