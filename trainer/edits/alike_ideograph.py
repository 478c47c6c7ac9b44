"""Chinese characters that look alike."""

from __future__ import annotations

from trainer.edits.edit import Edit
from trainer.registry import EDITS

# Characters of a group differ by a stroke or a part.
_TABLE = (
    "未末 土士 己已巳 日曰目 人入八 大太犬 天夫 干千于 王玉主 木本术 了子 刀力 几九 贝见 "
    "风凤 鸟乌 免兔 今令 午牛 住往 侯候 准淮 冶治 凉谅晾 析折拆 析柝 栗粟 炙灸 壶壸 茶荼 戊戌戍 "
    "毫亳 末耒 拔拨 抄炒 持待 情清请晴 蓝篮 镜境 表裹 线钱浅 灯订 机饥 电申由甲田 笔毛 "
    "手毛 带常 充克 耳且 屏展 幕慕墓 键健 盘盒 音晋 响晌 鞋靴 帽冒 杯坏 瓶拼 锅祸 "
    "床庆 柜拒 桌卓 椅倚 车东 轮伦 刷剧 洗冼 药约 针钉 钟种 金全 银根 铜铁 钢纲 "
    "热势 冷泠 水永 冰兵 油抽 光先 色包 红江 绿录 黑墨 白自百 小少 长张 高亭 童章"
)
_ALIKE: dict[str, list[str]] = {}
for _group in _TABLE.split():
    for _character in _group:
        _ALIKE.setdefault(_character, []).extend(of for of in _group if of != _character)


@EDITS.register("alike_ideograph")
class AlikeIdeograph(Edit):
    """Writes another character that differs by little, from a small table."""

    def variants(self, word: str) -> list[str]:
        return list(dict.fromkeys(_ALIKE.get(word, ())))
