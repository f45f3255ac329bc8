"""New plugin projects: a distribution of one's own with one working thing and its tests."""

from crystalvision.scaffold._names import ProjectNames, project_names
from crystalvision.scaffold._write import KINDS, write_project

__all__ = ["KINDS", "ProjectNames", "project_names", "write_project"]
