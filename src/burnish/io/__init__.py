"""Frames in, files out."""
