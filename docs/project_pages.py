"""A hook of MkDocs: pages that lie beside the documentation, such as ARCHITECTURE.md, are part of the site."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "architecture.md": "ARCHITECTURE.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "model_zoo.md": "model_zoo.md",
}


def on_files(files: Any, config: Any) -> Any:
    """Put the pages in."""
    from mkdocs.structure.files import File

    for name, source in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 (MkDocs names them)
    """Links from and to these pages lead to where they are in the site; those into the project's code become words."""
    of_source = {source: name for name, source in PAGES.items()}

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        path = target.removeprefix("../").removeprefix("docs/")
        path = of_source.get(path, path)
        return f"[{text}]({path}{anchor})" if files.get_file_from_path(path) is not None else text

    if page.file.src_uri.startswith("api/"):
        return markdown
    markdown = markdown.replace("[95%]", "\\[95%\\]")  # a heading of tables, and no reference to a section
    return re.sub(r"\[([^\]\n]+)\]\(((?!https?:|#)[^)#\s]+)(#[^)\s]*)?\)", link, markdown)
