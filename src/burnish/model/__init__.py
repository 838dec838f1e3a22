"""Inputs, folds, probabilities, projections and metrics: what find and measure share."""

from __future__ import annotations

from burnish.model.cross_validation import cross_val_probabilities
from burnish.model.fingerprinting import TrainingFingerprint, training_fingerprint
from burnish.model.folds import assign_folds
from burnish.model.projection import Projection, project
from burnish.model.reconstruction import Reconstruction, reconstruct

__all__ = [
    "Projection",
    "Reconstruction",
    "TrainingFingerprint",
    "assign_folds",
    "cross_val_probabilities",
    "project",
    "reconstruct",
    "training_fingerprint",
]
