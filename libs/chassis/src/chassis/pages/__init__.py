"""Pages that people use: one look, one strict policy, sign-in by a cookie, and problems written for people.

A service makes `Pages`, installs it in its app, and writes its pages on a `page_router`.
"""

from chassis.pages.look import NavLink
from chassis.pages.problems_for_people import Words
from chassis.pages.routes import AtPages, page_router
from chassis.pages.site import Pages
from chassis.process.page_settings import PageSettings, SignInSettings

__all__ = ["AtPages", "NavLink", "PageSettings", "Pages", "SignInSettings", "Words", "page_router"]
