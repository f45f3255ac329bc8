"""Dataset cards: what a dataset says of itself to people, and in Croissant to search engines.

A card is three files in the dataset's own folder: `README.md`, its figure `card.png`, and
`croissant.json`.
"""

from crystalvision.cards._facts import Facts
from crystalvision.cards._figure import figure_png
from crystalvision.cards._write import Card, refresh_card, write_card

__all__ = ["Card", "Facts", "figure_png", "refresh_card", "write_card"]
