"""What people do on the pages, in Debian's Chromium, against the whole embedded stack: `make browser`.

A test asks for `driver` (workspaces, add-ons, Stripe, the reconciliation check: as in the journeys) and for `visit`,
which opens a browser of somebody who is not signed in:

    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    owner = await visit()                                  # width=360, dark=True, javascript=False, locale="de-DE"
    await owner.sign_in(member_of(shop, "owner"), at=services(shop))
    await owner.page.get_by_role("button", name="Buy now").click()
    await look_at(owner, "services-bought")                # axe, both widths, both colour schemes, screenshots

Whatever a test does, it fails when a page breaks its own Content Security Policy, throws, or asks anybody else for
anything. `Keys(owner.page)` is for runs without a mouse. Screenshots are in `screenshots/`; look at them.
"""
