"""Tables whose rows whoever reads them puts in order, by pointer or keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# In the page itself: no question goes to the server, and the table may be a copy in a notebook.
_SORT = (
    "const th=this.closest('th'),table=th.closest('table'),body=table.tBodies[0],"
    "at=[...th.parentNode.children].indexOf(th),"
    "down=th.getAttribute('aria-sort')==='ascending';"
    "for(const each of th.parentNode.children)each.removeAttribute('aria-sort');"
    "th.setAttribute('aria-sort',down?'descending':'ascending');"
    "const key=row=>{const v=row.children[at].dataset.sort;const n=Number(v);"
    "return v===''?null:Number.isNaN(n)?v:n};"
    "const rows=[...body.rows].sort((a,b)=>{const x=key(a),y=key(b);"
    "if(x===null||y===null)return (x===null)-(y===null);"
    "const c=typeof x==='number'&&typeof y==='number'?x-y:String(x).localeCompare(String(y));"
    "return down?-c:c});body.append(...rows)"
)
# An arrow is no part of a heading's name: `aria-sort` says the same to whoever hears it. Browsers
# that cannot leave it out of the name take the first of the two.
_STYLE = """<style>
.sortable { overflow-x: auto; }
.sortable table { border-collapse: collapse; font-size: .85rem; min-width: 100%; }
.sortable caption { text-align: left; font-weight: 600; padding: .3rem 0; }
.sortable th, .sortable td { padding: .25rem .5rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line, #d9dde5); }
.sortable th:first-child, .sortable td:first-child { text-align: left; white-space: normal;
  min-width: 7rem; position: sticky; left: 0; background: var(--ground, Canvas); }
.sortable button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0;
  padding: .15rem 0; cursor: pointer; }
.sortable button:focus-visible { outline: 2px solid var(--accent, #0b5fa5); outline-offset: 2px; }
.sortable th[aria-sort=ascending] button::after { content: " ▲"; content: " ▲" / ""; }
.sortable th[aria-sort=descending] button::after { content: " ▼"; content: " ▼" / ""; }
</style>"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it shows.
        key: What rows are put in order by; `None` for what goes last.
    """

    text: str
    key: float | str | None


def number_cell(value: float | None, form: str = ".4g") -> Cell:
    """A number; a dash where there is none."""
    return Cell("–", None) if value is None else Cell(f"{value:{form}}", value)


def text_cell(text: str) -> Cell:
    """A text."""
    return Cell(text, text)


def sortable_table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as HTML; its headings are buttons that put its rows in order.

    Args:
        caption: What it is of.
        headings: One for each column.
        rows: A cell for each heading.
    """
    head = "".join(
        f'<th scope="col"><button type="button" onclick="{escape(_SORT)}">{escape(one)}</button>'
        "</th>"
        for one in headings
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'{_STYLE}<div class="sortable" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    key = "" if cell.key is None else str(cell.key)
    return f'<td data-sort="{escape(key)}">{escape(cell.text)}</td>'
