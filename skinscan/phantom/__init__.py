"""Phantoms: rendered faces whose truth is known."""

from skinscan.phantom.camera import encode_jpeg
from skinscan.phantom.capture import Capture
from skinscan.phantom.course import Session, make_course, write_course
from skinscan.phantom.lines import default_wrinkles
from skinscan.phantom.occluders import occluder_cover
from skinscan.phantom.render import photograph, project, project_iris, project_points, render
from skinscan.phantom.skin import ita_deg, melanin_for_ita
from skinscan.phantom.truth import (
    Beard,
    FaceTruth,
    Glasses,
    LooseHair,
    Occluders,
    Person,
    PhantomError,
    Pores,
    Spot,
    Wrinkle,
    with_wrinkles,
)

__all__ = [
    "Beard",
    "Capture",
    "FaceTruth",
    "Glasses",
    "LooseHair",
    "Occluders",
    "Person",
    "PhantomError",
    "Pores",
    "Session",
    "Spot",
    "Wrinkle",
    "default_wrinkles",
    "encode_jpeg",
    "ita_deg",
    "make_course",
    "melanin_for_ita",
    "occluder_cover",
    "photograph",
    "project",
    "project_iris",
    "project_points",
    "render",
    "with_wrinkles",
    "write_course",
]
