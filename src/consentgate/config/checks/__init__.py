"""What a Policy may not say, whether a file or Python code says it.

A fault's path runs through the fields of Policy: ("categories", 0, "rules", 3, "name").
"""

from .categories import category_faults, rule_faults
from .doubts import doubts_about
from .settings import setting_faults
from .types import type_faults

__all__ = ["category_faults", "doubts_about", "rule_faults", "setting_faults", "type_faults"]
