"""Inputs, folds, probabilities, projections and metrics: what find and measure share."""

from __future__ import annotations

from burnish.model.cross_validation import cross_val_probabilities
from burnish.model.folds import assign_folds
from burnish.model.projection import Projection, project

__all__ = ["Projection", "assign_folds", "cross_val_probabilities", "project"]
