# SPDX-License-Identifier: GPL-2.0
# Configuration of Sphinx, for make docs. The version comes from the command line.

import re

from docutils import nodes

project = "ucountview"
language = "en"
html_theme = "alabaster"
html_theme_options = {
    "description": "shows the kernel counters behind \"No space left on device\"",
    "fixed_sidebar": True,
    "page_width": "auto",
    "body_max_width": "none",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_copy_source = False
html_show_copyright = False
highlight_language = "none"

# In the text of the pages, so that they read as well without Sphinx: the name of a page, with or without its directory,
# and a structure or enumeration of the ABI
MENTION = re.compile(r"(?:Documentation/)?([a-z-]+)\.rst|(?:struct|enum) (ucv_\w+)")


def target(app, fromdoc, mention):
    """The address of what is mentioned, or None."""
    page, name = mention.groups()
    if page in app.env.found_docs and page != fromdoc:
        return app.builder.get_relative_uri(fromdoc, page)
    for _, dispname, _, docname, anchor, _ in app.env.get_domain("c").get_objects():
        if name and dispname == name:
            return app.builder.get_relative_uri(fromdoc, docname) + "#" + anchor
    return None


def linked(app, fromdoc, text):
    """The text as nodes, in which each mention that has an address is a link."""
    result, end = [], 0
    for mention in MENTION.finditer(text):
        address = target(app, fromdoc, mention)
        if address:
            result.append(nodes.Text(text[end:mention.start()]))
            result.append(nodes.reference("", mention[0], internal=True, refuri=address))
            end = mention.end()
    return result + [nodes.Text(text[end:])]


def link_mentions(app, doctree, fromdoc):
    """Turn mentions into links, except in titles, literal blocks, and what is a link already."""
    unwanted = (nodes.title, nodes.FixedTextElement, nodes.reference, nodes.Invisible)
    for text in list(doctree.findall(nodes.Text)):
        node = text.parent
        while node and not isinstance(node, unwanted):
            node = node.parent
        if not node and MENTION.search(text.astext()):
            text.parent.replace(text, linked(app, fromdoc, text.astext()))


def setup(app):
    app.connect("doctree-resolved", link_mentions)
    return {"parallel_read_safe": True}
