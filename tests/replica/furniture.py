"""What stands around every article: top bar, navigation, share buttons, side blocks, footer.

Rule of this file: structure as in the dossier (§3, §8.5), words ours. Side blocks are server-side includes that are rendered
again at every request (`tick`), long after the article was published: that is why no page may be hashed whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.replica.chance import Chance
from tests.replica.truth import TrueArticle

CHANNELS = {
    "internet": "互联网",
    "it": "IT业界",
    "telecom": "通信",
    "elec": "家电",
    "digi": "数码",
    "bc": "区块链",
    "roll": "滚动",
    "sx": "滚动",
    "hydt": "滚动",
    "entrepreneur": "创业",
    "internet/jjds": "互联网",
}
"""folder -> the name that the site gives it, in lists and in <title>"""

TOPICS = (
    ("robot-spring", "机器人进厂房这一年"),
    ("night-grid", "夜里的电网"),
    ("old-phone", "旧手机的第二次生命"),
    ("harbor", "看港口如何装上大脑"),
    ("county-cloud", "县城机房观察"),
    ("quiet-home", "静音家电横评"),
    ("orbit-farm", "种子上天记"),
    ("chip-school", "芯片公开课"),
    ("low-sky", "低空航线开通日"),
    ("battery-north", "电池过冬试验"),
    ("fiber-sea", "海底光缆维修船日记"),
    ("ai-court", "法庭里的新助手"),
    ("quantum-city", "量子进城"),
    ("doctor-bag", "乡村医生的背包"),
    ("salt-field", "盐碱地里的传感器"),
    ("fraud-line", "反诈热线二十四小时"),
)
"""folder below /news/special/ -> its name"""

TOP = (
    '<div class="topbar"><a href="http://www.china.com.cn/">网站首页</a> <a href="javascript:void(0)">设为首页</a> '
    '<a href="http://big5.china.com.cn/gate/big5/tech.china.com.cn/">繁體</a></div>\n'
    '<div class="header"><a href="http://tech.china.com.cn/">中国网科技</a></div>\n'
)
SHARE = (
    '<div class="fr share bdsharebuttonbox"><a href="#" class="bds_more">分享到</a><a href="#" class="bds_weixin">微信</a>'
    '<a href="#" class="bds_tsina">微博</a><a href="javascript:window.print()">打印</a> 字号：<a href="#">大</a><a href="#">小</a></div>\n'
)
ADVERTISEMENT = '<div class="ifa"><iframe src="http://www.china.com.cn/2016ads/T01.html" width="300" height="250"></iframe></div>\n'
VIDEO_BOX = '<div id="vf"><p>扫描二维码，观看更多科技短片</p></div>\n'
OPEN, CLOSE = "<!-- 页面碎片 开始 -->\n<!-- 0000-00-00 00:00:00 -->\n", "<!-- 页面碎片 结束 -->\n"


def navigation() -> str:
    links = (
        f'<a href="http://tech.china.com.cn/{folder}/">{name}</a>' for folder, name in CHANNELS.items() if folder not in ("sx", "hydt")
    )
    return f'<div class="nav subNav">{"".join(links)}<a href="http://tech.china.com.cn/live.shtml">滚动新闻</a></div>\n'


def footer(house: str = "中国网科技") -> str:
    """About, rights, contact, accounts: the order and the class names of the dossier; the notice is shaped like the site's."""
    return (
        '<div class="Info">\n<div class="AboutUs">      '
        "本站报道科学技术与产业，每天早晚更新，以多种语言向读者介绍新产品、新方法和做出它们的人。</div>\n"
        f'<div class="Map"><p>      凡本网站注明“来源：{house}”的稿件，版权均属本站或由本站取得授权，任何单位和个人未经书面同意，'
        "不得转载、摘编或以其他方式使用上述作品。</p></div>\n"
        '<div class="Contact"><p>电话：0086-10-00000000-6000</p><p>传真：0086-10-00000001</p><p>邮箱：keji@example.org.cn</p></div>\n'
        '<div class="wx"><a href="#">官方微信</a><a href="#">官方微博</a></div>\n<p>版权所有 京ICP证 000000号</p></div>\n'
    )


def sides(others: Sequence[TrueArticle], tick: int, repeat: int = 1) -> str:
    """The includes: a time, four pictures, a ranking, sixteen topics. `others` are what they may link to."""
    chance = Chance("sides", tick)
    blocks = []
    for _ in range(repeat):
        shown = chance.shuffled(others)[:14]
        pictures = "".join(
            f'<li><a href="{true.url}"><img src="/images/p{number}.jpg" /></a></li>' for number, true in enumerate(shown[:4])
        )
        ranking = "".join(f'<li><a href="{true.url}" target="_blank">{true.title}</a></li>\n' for true in shown[4:])
        blocks.append(f'<ul class="tuijian">{pictures}</ul>\n<h2>图片新闻</h2>\n<h2>热点排行</h2>\n<ol class="rank">{ranking}</ol>\n')
    topics = "".join(
        f'<li><a href="http://tech.china.com.cn/news/special/{folder}/">{name}</a></li>' for folder, name in chance.shuffled(TOPICS)
    )
    return f'<div class="wrap">{OPEN}<!-- {tick} -->\n{"".join(blocks)}<ul class="zhuanti">{topics}</ul>\n{CLOSE}</div>\n'
