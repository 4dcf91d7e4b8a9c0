"""The form in which a line is compared and counted, and the lines of an article that may be its site's furniture.

Apart from the rules that look at this form (furniture.py): an archive counts lines, and reads none.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from pipelines.model import Article

# The traditional forms of characters that the rules are written with: the mirror and Hong Kong pages print them.
_SIMPLER = str.maketrans(
    "佈來侷係個備傢傳僅儘儲內兩冊別刪剛創劃動務區協參員問單噹嚮國圖團埰執報場壇娛學寀實審寫專對廣廳張彆彔後復愛態戶掃採搶擊擔"
    "據擴攝數於時暫曏會條構樂標機檯欄權歡歸準濟瀏為熱營獨現產畫當發盡監眾確碼筆箇簽籌籤糰糾約終組絕絡給統經綜維網綵線編縮總繫"
    "罈習聞聯聲聽臺與興舉萬蒐蓆蔘薦處號衕裝製複覈見視覽觀訂訊記許訴註証評詞話詳誌認語說調請論謝證識譯議讀讓讚財責資賬贊載輯輸"
    "轉辦迴週進運違選還郵鄭錄錯錶鍵鍾鏈鏡鐘長門閉開間閤閱關隊際險雜雲電靜頁頂須頭頻題類顧風颱餘饋駐騰驗體髮鬚鵝麵點齣",
    "布来局系个备家传仅尽储内两册别删刚创划动务区协参员问单当向国图团采执报场坛娱学采实审写专对广厅张别录后复爱态户扫采抢击担"
    "据扩摄数于时暂向会条构乐标机台栏权欢归准济浏为热营独现产画当发尽监众确码笔个签筹签团纠约终组绝络给统经综维网彩线编缩总系"
    "坛习闻联声听台与兴举万搜席参荐处号同装制复核见视览观订讯记许诉注证评词话详志认语说调请论谢证识译议读让赞财责资账赞载辑输"
    "转办回周进运违选还邮郑录错表键钟链镜钟长门闭开间合阅关队际险杂云电静页顶须头频题类顾风台余馈驻腾验体发须鹅面点出",
)
_TRADITIONAL = re.compile(f"[{''.join(map(chr, _SIMPLER))}]")
_WIDE = tuple(zip("，：；！？（）", ",:;!?()", strict=True))
"""the punctuation of Chinese sentences, as NFKC writes it"""
TEMPLATE_EDGE = 3
"""paragraphs at each end that are remembered: furniture that slips through stands there"""
REMEMBERED = 4_096
"""lines: one page asks about each of its lines several times (three readers, head, tail, title)"""
REMEMBERED_LENGTH = 500
"""characters: the longest of them. A page may be one line of 8 MiB, and 4,096 of these are no memory of anything"""


def simpler(text: str) -> str:
    """`text` with the traditional characters of the rules' own words made simplified; every character keeps its place."""
    return text.translate(_SIMPLER) if _TRADITIONAL.search(text) else text


def fold(text: str) -> str:
    """The form that rules look at: NFKC, no spaces, lower case, simplified where it matters."""
    return _folded(text) if len(text) <= REMEMBERED_LENGTH else _folded.__wrapped__(text)


@lru_cache(maxsize=REMEMBERED)
def _folded(text: str) -> str:
    for wide, plain in _WIDE:
        text = text.replace(wide, plain)
    if not unicodedata.is_normalized("NFKC", text):  # normalising costs ten times as much as seeing that there is no need
        text = unicodedata.normalize("NFKC", text)
    return simpler(text.replace(" ", "").lower())


def template_lines(article: Article) -> tuple[tuple[str, str], ...]:
    """(digest, line) of the lines that may be a site's furniture which no rule names yet: the first and last
    TEMPLATE_EDGE paragraphs. The catalogue counts in how many articles each digest occurs."""
    paragraphs = article.paragraphs
    edges = dict.fromkeys((*paragraphs[:TEMPLATE_EDGE], *paragraphs[-TEMPLATE_EDGE:]))
    return tuple((line_digest(text), text) for text in edges)


def line_digest(text: str) -> str:
    """The name under which a line is counted: SHA-256 of its folded form, first 16 hex digits."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:16]
