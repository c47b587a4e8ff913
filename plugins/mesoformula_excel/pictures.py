"""Pictures on sheets."""

from __future__ import annotations

from typing import Any

from openpyxl.drawing.fill import Blip
from openpyxl.drawing.geometry import PresetGeometry2D
from openpyxl.drawing.image import Image
from openpyxl.drawing.picture import PictureFrame
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D

from mesoformula.sheets import Picture
from mesoformula_excel.charts import EMU_OF_MILLIMETRE
from mesoformula_excel.texts import clean

_PNG = b"\x89PNG\r\n\x1a\n"


class _Png(Image):  # type: ignore[misc]
    """A PNG that goes into the file as it is: openpyxl would ask Pillow for what is known already."""

    def __init__(self, png: bytes) -> None:
        self._png = png
        self.format = "png"

    def _data(self) -> bytes:
        return self._png


def draw_picture(
    worksheet: Any, picture: Picture, corner: tuple[int, int], offset: tuple[float, float] = (0, 0)
) -> None:
    """
    Put a picture on a sheet.

    Args:
        worksheet: The tab.
        picture: What.
        corner: Column and row of the cell that holds its upper left corner, counted from 1.
        offset: From that cell's corner, to the right and down, in millimetres.

    Raises:
        ValueError: If it is no PNG.
    """
    if not picture.png.startswith(_PNG):
        raise ValueError(f"the picture {picture.text!r} is no PNG")
    image = _Png(picture.png)
    across, down = (round(length * EMU_OF_MILLIMETRE) for length in offset)
    image.anchor = OneCellAnchor(
        _from=AnchorMarker(col=corner[0] - 1, colOff=across, row=corner[1] - 1, rowOff=down),
        ext=XDRPositiveSize2D(
            round(picture.width * EMU_OF_MILLIMETRE), round(picture.height * EMU_OF_MILLIMETRE)
        ),
        pic=_frame(picture, len(worksheet._images) + 1),
    )
    worksheet.add_image(image)


def _frame(picture: Picture, number: int) -> PictureFrame:
    frame = PictureFrame()
    frame.nvPicPr.cNvPr.id = number + 1000
    frame.nvPicPr.cNvPr.name = f"Picture {number}"
    frame.nvPicPr.cNvPr.descr = clean(picture.text, 255)
    frame.blipFill.blip = Blip(embed="rId1", cstate="print")
    frame.spPr.prstGeom = PresetGeometry2D(prst="rect")
    frame.spPr.ln = None
    return frame
