"""The files of a folder that somebody put there, without those that programs leave behind.

A Mac writes `._name` beside each file that it copies to a foreign disk and `.DS_Store` into every
folder that it opens, Windows `Thumbs.db` and `desktop.ini`, archives of a Mac carry `__MACOSX`.
They end in the same letters as what is looked for and are nothing of it.
"""

from pathlib import Path

_LEFT_BEHIND = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "lost+found"}


def files_in(folder: Path, pattern: str = "*") -> list[Path]:
    """The files and folders that `pattern` finds below `folder`, sorted; none of hidden ones."""
    return [path for path in sorted(folder.glob(pattern))
            if not any(map(_left_behind, path.relative_to(folder).parts))]


def _left_behind(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFT_BEHIND
