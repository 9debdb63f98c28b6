# ruff: noqa: INP001
"""What mkdocs.yml asks for beyond files of this folder: reference pages made from the code, the notebook as a page, and files of the repository that pages link to.

A link out of this folder (``../amo_opt/amos/lending.py``) is right where one reads these pages in the repository; in the site it leads to a page that shows the file, so
that a copy of the site is whole by itself. A link to a file that is not there stays as it is, and ``mkdocs build --strict`` stops at it.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # `reference` beside this file: this folder is no package
import reference

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)(#[^)\s]*)?(\))")
"""A Markdown link upwards: what stands before its address, the address, its anchor, what stands behind."""
AS_THEY_ARE = {".html", ".png", ".json", ".csv", ".ipynb"}
"""Files that a browser shows, or somebody loads, as they are."""
LANGUAGES = {".py": "python", ".toml": "toml", ".md": "markdown", ".yml": "yaml", ".yaml": "yaml", ".sh": "bash"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is made: the reference, the notebook, and every file of the repository that a page links to."""
    for path, text in reference.pages().items():
        files.append(File.generated(config, path, content=text))
    notebook = files.get_file_from_path("notebook.ipynb")
    if notebook is not None:
        files.append(File.generated(config, "notebook.md", content=_notebook(DOCS / "notebook.ipynb")))
    pages = {file.src_uri: file.content_string for file in files.documentation_pages()}
    for target in sorted({found for page, text in pages.items() for _, found in _outside(page, text)}):
        if target.suffix in AS_THEY_ARE:
            files.append(File.generated(config, _place(target), content=target.read_bytes()))
        else:
            files.append(File.generated(config, _place(target), content=_shown(target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' signature
    """The page with links out of this folder turned to where the site has the file."""
    places = {link: _place(target) for link, target in _outside(page.file.src_uri, markdown)}
    here = posixpath.dirname(page.file.src_uri) or "."

    def turned(match: re.Match[str]) -> str:
        before, link, anchor, behind = match.groups()
        if link not in places:
            return match[0]
        return f"{before}{posixpath.relpath(places[link], here)}{'' if places[link].endswith('.md') else anchor or ''}{behind}"

    return LINK.sub(turned, markdown)


def _outside(page: str, text: str) -> list[tuple[str, Path]]:
    """Links of a page to files of the repository outside this folder that are there."""
    if page.startswith("repository/"):
        return []
    found = []
    for match in LINK.finditer(text):
        target = (DOCS / posixpath.dirname(page) / match[2]).resolve()
        if target.is_file() and target.is_relative_to(ROOT) and not target.is_relative_to(DOCS):
            found.append((match[2], target))
    return found


def _place(target: Path) -> str:
    """Where the site has a file of the repository."""
    parts = (part.removeprefix(".") for part in target.relative_to(ROOT).parts)  # the site has no hidden files
    path = f"repository/{'/'.join(parts)}"
    return path if target.suffix in AS_THEY_ARE else f"{path}.md"


def _shown(target: Path) -> str:
    """A page that shows a file."""
    text = target.read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    head = f"---\ntitle: {target.name}\nhide: [toc]\nsearch: {{exclude: true}}\n---\n\n# {target.relative_to(ROOT).as_posix()}\n\n"
    return f"{head}{fence}{LANGUAGES.get(target.suffix, 'text')}\n{text}\n{fence}\n"


def _notebook(path: Path) -> str:
    """The cells of a notebook as a page; it is kept without outputs."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    told = [text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```" for cell in cells if (text := "".join(cell["source"]))]
    return "\n\n".join(told) + "\n"
