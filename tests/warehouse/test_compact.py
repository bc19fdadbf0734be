"""Many batches become few packs: the same batches, a smaller landing, and nothing else changes."""

from __future__ import annotations
