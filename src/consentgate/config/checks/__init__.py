"""What a Policy may not say, whether a file or Python code says it.

A fault's path runs through the fields of Policy: ("categories", 0, "rules", 3, "name").
"""

from .categories import category_faults, rule_faults
from .doubts import doubts_about
from .facts import fact_faults, thoughts_on
from .law import law_faults
from .pages import page_faults, thoughts_on_changes
from .regions import region_faults
from .settings import setting_faults
from .texts import missing_texts, text_faults
from .third_parties import third_party_faults, thoughts_on_sources
from .types import type_faults

__all__ = [
    "category_faults",
    "doubts_about",
    "fact_faults",
    "law_faults",
    "missing_texts",
    "page_faults",
    "region_faults",
    "rule_faults",
    "setting_faults",
    "text_faults",
    "third_party_faults",
    "thoughts_on",
    "thoughts_on_changes",
    "thoughts_on_sources",
    "type_faults",
]
