"""Article pages of the Founder CMS on news.china.com.cn, in eight variants.

Rule of this file: a table of (title, line, body, editor) shapes, one a variant, as the dossier (§3) lists their selectors.
Only (a) and (b) have a layout in the seeds; the others are for readers without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.replica import furniture
from tests.replica.pages import INDENT, autopage, head, shown
from tests.replica.truth import TrueArticle

Shape = Callable[[TrueArticle, str], str]


def _body(true: TrueArticle, part: int) -> str:
    pieces = [f"<p>{INDENT}{text}</p>\n" for text in shown(true, part)]
    for position, (text, image) in zip((1, len(pieces)), true.captions if part == 1 else (), strict=False):
        pieces.insert(position, f'<p align="center"><img src="{image}" /></p>\n<p align="center">{text}</p>\n')
    return "<!--enpcontent-->" + "".join(pieces) + "<!--/enpcontent-->" + (_property(true) if part == 1 else "")


def _property(true: TrueArticle) -> str:
    """The CMS's own comment; that china.com.cn prints it is inferred."""
    assert true.published
    return (
        f"<!--enpproperty <articleid>{true.number}</articleid><date>{true.published:%Y-%m-%d %H:%M:%S}:0</date>"
        f"<author>{' '.join(true.authors)}</author><title>{true.title}</title><keyword></keyword><siteid>1000</siteid>"
        "<nodeid>7208703</nodeid><nodename>产业</nodename>/enpproperty-->"
    )


def _time(true: TrueArticle) -> str:
    assert true.published
    return f"{true.published:%Y-%m-%d %H:%M:%S}"


def _byline(true: TrueArticle) -> str:
    return " ".join(true.authors)


def _spans(true: TrueArticle) -> str:
    author = f'<span id="author_baidu">作者：{_byline(true)}</span>' if true.authors else ""
    return (
        f'<span id="pubtime_baidu">发布时间：{_time(true)}</span><span id="source_baidu">来源：<a href="#">{true.source}</a></span>{author}'
    )


def _a(true: TrueArticle, body: str) -> str:
    return (
        f'<h1 class="articleTitle">{true.title}</h1>\n<div class="articleInfo">{_spans(true)}</div>\n'
        f'<div id="articleBody" class="articleBody">{body}</div><div class="articleEditor">责任编辑：{true.editors[0]}</div>'
    )


def _b(true: TrueArticle, body: str) -> str:
    return (
        f'<h1 class="artTitle">{true.title}</h1>\n<div class="artInfo">{_spans(true)}</div>\n<div class="artCon" id="artbody">{body}</div>'
        f'<span id="editor_baidu">责任编辑：{true.editors[0]}</span>'
    )


def _c(true: TrueArticle, body: str) -> str:
    return (
        f'<h1 class="artiTitle">{true.title}</h1>\n<div class="artiInfo">时间：{_time(true)} 来源：{true.source}</div>\n'
        f'<div id="artiContent">{body}</div>'
    )


def _d(true: TrueArticle, body: str) -> str:
    author = f" | 作者： {_byline(true)}" if true.authors else ""
    return (
        f'<div class="center_title"><h1>{true.title}</h1><div class="span">发布时间： {_time(true)} | 来源： {true.source}{author}'
        f' | 责任编辑： {true.editors[0]}</div></div>\n<div class="center_box">{body}</div>'
    )


def _e(true: TrueArticle, body: str) -> str:
    assert true.published
    return (
        f'<div class="box1l"><h1>{true.title}</h1>'
        f"<h4>{true.published:%Y-%m-%d %H:%M}丨来源：{true.source}丨责任编辑：{true.editors[0]}</h4>\n"
        f'<div class="cp">{body}</div></div>'
    )


def _f(true: TrueArticle, body: str) -> str:
    top = f'<div class="cTitle">{true.title}</div>\n<div class="cInfo">{_time(true)} 来源：{true.source}</div>\n'
    return f'{top}<div class="cBody">{body}</div>'


def _g(true: TrueArticle, body: str) -> str:
    figures = "".join(
        f'<figure><img src="{image}" /><figcaption class="imgComment_content">{text}</figcaption></figure>' for text, image in true.captions
    )
    paragraphs = "".join(f"<p>{INDENT}{text}</p>\n" for text in true.paragraphs)
    editor = f'<span id="editor_baidu">责任编辑：{true.editors[0]}</span>'
    top = f'<h1>{true.title}</h1>\n<div class="info">{_spans(true)}</div>\n'
    return f'{top}<div id="bigpic">{figures}</div>\n<div class="text">{paragraphs}</div>{editor}'


def _h(true: TrueArticle, body: str) -> str:
    assert true.published
    author = f"  作者：{_byline(true)}" if true.authors else ""
    return (
        f'<h1>{true.title}</h1>\n<div class="Tinfo">{true.published:%Y年%m月%d日 %H:%M}  来源：{true.source}{author}</div>\n'
        f'<div id="fontzoom">{body}</div>'
    )


_SHAPES: dict[str, Shape] = {"a": _a, "b": _b, "c": _c, "d": _d, "e": _e, "f": _f, "g": _g, "h": _h}


def founder(true: TrueArticle, part: int, tick: int, others: Sequence[TrueArticle]) -> str:
    """One page. A later page has neither title, time, source nor editor; only (a) is seen with several."""
    body = _body(true, part) + autopage(true, part)
    shape = _SHAPES[true.template.removeprefix("founder-")]
    main = shape(true, body) if part == 1 else f'<div id="articleBody" class="articleBody">{body}</div>'
    top = head(true, "utf-8", "新闻中心_中国网") if part == 1 else "<head><meta charset='utf-8'><title>中国网</title></head>"
    return (
        f'<!DOCTYPE html>\n<html>{top}<body>\n<div class="topbar"><a href="http://www.china.com.cn/">网站首页</a></div>\n'
        f'<div class="main">{main}</div>\n{furniture.sides(others, tick)}{furniture.footer("中国网")}</body></html>'
    )
