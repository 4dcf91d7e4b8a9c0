"""Article pages of tech.china.com.cn: the templates T3, T2 and T1, the photo set, and the mobile copy.

Rule of this file: one function a template, from a true article to HTML; selectors and dirt as in the dossier (§3), in
the words of this project. Bytes and charsets are made by world.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.replica import furniture
from tests.replica.truth import TrueArticle

INDENT = "　　"
DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml">'
)
VIDEO = '<div id="flv"><script>var flv="http://v.china.com.cn/v/2022/a.mp4";</script><object data="/player.swf"></object></div>'


def shown(true: TrueArticle, part: int) -> tuple[str, ...]:
    """The paragraphs on one page of the article; `part` counts from 1."""
    if not true.part_sizes:
        return true.paragraphs
    begin = sum(true.part_sizes[: part - 1])
    return true.paragraphs[begin : begin + true.part_sizes[part - 1]]


def autopage(true: TrueArticle, part: int) -> str:
    """The page links: `>` leads on; in a loop the last page's `>` leads back to the second (dossier §8.7)."""
    if not true.parts:
        return ""
    names = [url.rsplit("/", 1)[1] for url in (true.url, *true.parts)]
    onward = names[part] if part < len(names) else names[1] if true.variant == "pages-loop" else None
    numbers = " ".join(str(page) if page == part else f'<a href="{name}">{page}</a>' for page, name in enumerate(names, 1))
    following = f' <a href="{onward}">></a>' if onward else ""
    return f'<div id="autopage"><center>{numbers}{following}</center></div>\n'


def head(true: TrueArticle, charset: str, suffix: str) -> str:
    assert true.published
    metas = {
        "filetype": "1",
        "publishedtype": "1",
        "pagetype": "1",
        "catalogs": "68",
        "contentid": str(true.number),
        "publishdate": f"{true.published:%Y-%m-%d}",
        "author": " ".join(true.authors),
        "source": true.source or "",
        "keywords": ",".join(true.keywords),
    }
    lines = "".join(f'<meta name="{name}" content="{content}" />\n' for name, content in metas.items() if content)
    return (
        f'<head><meta http-equiv="Content-Type" content="text/html; charset={charset}" />\n{lines}'
        f"<title>{true.title}_{suffix}</title>\n"
        '<script type="text/javascript" src="http://cl2.webterren.com/webdig.js?z=12"></script>\n</head>\n'
    )


def _suffix(true: TrueArticle) -> str:
    return f"{furniture.CHANNELS[true.section or 'roll']}_科技_中国网"


def _paragraph(text: str) -> str:
    return f"<p>{INDENT}{text}</p>\n"


def _picture(caption: tuple[str, str]) -> str:
    text, image = caption
    return f'<p align="center"><img src="{image}" border="1" alt="" /></p>\n<p align="center">{text}</p>\n'


def _flow(true: TrueArticle, part: int) -> str:
    """Paragraphs with the pictures between them: after the second, and before the last."""
    pieces = [_paragraph(text) for text in shown(true, part)]
    for position, caption in zip((1, len(pieces)), true.captions if part == 1 else (), strict=False):
        pieces.insert(position, _picture(caption))
    return "".join(pieces)


def _breaks(true: TrueArticle, part: int) -> str:
    """One <p> in which <br> and an indent part the paragraphs."""
    pictures = "".join(_picture(caption) for caption in true.captions)
    return f"<p>{INDENT}" + f"<br />\n{INDENT}".join(shown(true, part)) + f"</p>\n{pictures}"


def _with_table(true: TrueArticle, part: int) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in true.table)
    flow = _flow(true, part)
    cut = flow.index("</p>\n") + len("</p>\n")
    return f'{flow[:cut]}<table border="1" cellspacing="0"><tbody>{rows}</tbody></table>\n{flow[cut:]}'


def _with_source(true: TrueArticle, part: int) -> str:
    return f"<p>{INDENT}来源：{true.source}</p>\n" + _flow(true, part)


def _video(true: TrueArticle, part: int) -> str:
    return VIDEO


_BODIES = {"br": _breaks, "table": _with_table, "inner-source": _with_source, "video": _video}


def _line(true: TrueArticle) -> str:
    """Date without a space, then source and author, two spaces between (dossier §0.7, §3)."""
    assert true.published
    printed = f"{true.published:%Y年%m月%d日%H:%M}"
    source = "中国网科技" if true.variant == "inner-source" else true.source
    link = source if true.variant == "plain-source" else f'<a href="http://tech.china.com.cn/" target="_blank">{source}</a>'
    author = f"  <em>作者：{' '.join(true.authors)}</em>" if true.authors else ""
    return f'<span class="fl time2">{printed}  {link}{author}</span>\n'


def t3(true: TrueArticle, part: int, tick: int, others: Sequence[TrueArticle]) -> str:
    """tech and finance, from about 2016: `navp c` with id fontzoom, the editor's line inside it."""
    first = f'<h1 class="toph1">{true.title}</h1>\n{_line(true)}{furniture.SHARE}' if part == 1 else ""
    notice = _paragraph(true.image_notice) if true.image_notice and part == max(len(true.part_sizes), 1) else ""
    editor = f'<div class="fr bianj">(责任编辑：{true.editors[0]})</div>' if true.editors else ""
    body = _BODIES.get(true.variant, _flow)(true, part)
    return (
        f"{DOCTYPE}{head(true, 'utf-8', _suffix(true)) if part == 1 else _bare_head()}<body>\n{furniture.TOP}{furniture.navigation()}"
        f'<div class="wrap c top">{first}<div class="navp c" id="fontzoom">{body}{notice}{furniture.ADVERTISEMENT}{furniture.VIDEO_BOX}'
        f"{editor}{autopage(true, part)}</div>\n</div>\n"
        f"{furniture.sides(others, tick, repeat=8 if true.variant == 'side-heavy' else 1)}{furniture.footer()}</body></html>"
    )


def _bare_head() -> str:
    """A later page's head says nothing of the article."""
    return '<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />\n<title>中国网科技</title></head>\n'


def t2(true: TrueArticle, part: int, tick: int, others: Sequence[TrueArticle]) -> str:
    """To about May 2016: the ids that end in _baidu, #content.tex in .artical-content (sic)."""
    assert true.published
    author = f'<span id="author_baidu">作者：{" ".join(true.authors)}</span>' if true.authors else ""
    return (
        f"<html>{head(true, 'utf-8', _suffix(true))}<body>\n{furniture.TOP}{furniture.navigation()}<h1>中国网科技</h1>\n"
        f'<div class="left_content"><h1>{true.title}</h1>\n<div class="artical-relative clearfix">'
        f'<span id="pubtime_baidu">发布时间：{true.published:%Y-%m-%d %H:%M:%S}</span>'
        f'<span id="source_baidu">来源：<a href="http://tech.china.com.cn/" title="{true.source}">{true.source}</a></span>{author}</div>\n'
        f'<div class="artical-content"><div id="content" class="tex"><div>{_flow(true, part)}</div>\n'
        '<iframe src="http://www.china.com.cn/2016ads/H01.html"></iframe><div class="mvdiv_1254085_holder"></div>'
        '<p align="center"><a href="http://tech.china.com.cn/">更多报道见科技频道首页</a></p></div></div></div>\n'
        f"{furniture.sides(others, tick)}{furniture.footer()}</body></html>"
    )


def t1(true: TrueArticle, part: int, tick: int, others: Sequence[TrueArticle]) -> str:
    """Before T2: the title is the second h1. Served as GB18030 that calls itself gb2312."""
    assert true.published
    return (
        f"<html>{head(true, 'gb2312', _suffix(true))}<body>\n{furniture.TOP}<h1>中国网科技</h1><h1>{true.title}</h1>\n"
        f'<ul><li class="small_one"><span>{true.published:%Y-%m-%d %H:%M:%S}</span> 来源：<a href="#">{true.source}</a> '
        '<a href="#">评论</a></li></ul>\n'
        f'<div id="content">{_flow(true, part)}</div>\n{furniture.sides(others, tick)}{furniture.footer()}</body></html>'
    )


def photo(true: TrueArticle, part: int, tick: int, others: Sequence[TrueArticle]) -> str:
    """The text stands only in a script (dossier §8.8)."""
    assert true.published
    pictures = ",\n".join(json.dumps({"note": note, "image": image}, ensure_ascii=False) for note, image in true.captions)
    return (
        f"<html>{head(true, 'utf-8', _suffix(true))}<body>\n{furniture.TOP}<h1>{true.title}</h1>\n"
        f'<span id="pubtime_baidu">发布时间：{true.published:%Y-%m-%d %H:%M:%S}</span><span id="source_baidu">来源：{true.source}</span>\n'
        f'<div id="bigpic"><a href="javascript:void(0)">上一张</a><a href="javascript:void(0)">下一张</a></div>\n'
        f'<script>\nvar pic_data={{"list":[\n{pictures}\n]}};\n</script>\n{furniture.sides(others, tick)}{furniture.footer()}</body></html>'
    )


def mobile(true: TrueArticle) -> str:
    """The copy on m.gxfin.com."""
    body = "".join(_paragraph(text) for text in true.paragraphs)
    return (
        '<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{true.title}</title></head><body><h1>{true.title}</h1><div class="content1">{body}</div></body></html>'
    )


TEMPLATES = {"T3": t3, "T2": t2, "T1": t1, "photo": photo}
