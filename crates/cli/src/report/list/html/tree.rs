// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who has issued whom: the chain above the CA, the CA, and what it has issued, by
//! type; CAs below it by name.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use certkeep_pki::inventory::{Entry, Inventory, Role};

use super::{Html, Time, class, words};

/// The section with the tree; nothing if no CA is listed.
pub(super) fn write(page: &mut String, inventory: &Inventory) -> fmt::Result {
    let of_role = |role: Role| inventory.entries.iter().filter(move |entry| entry.role == role);
    let mut above: Vec<&Entry> = of_role(Role::Chain).collect();
    let Some(authority) = of_role(Role::Authority).next() else { return Ok(()) };
    page.push_str("<section aria-labelledby=\"hierarchy\">\n<h2 id=\"hierarchy\">Hierarchy</h2>\n");
    // The root first. Each step goes to whoever issued the one below; what fits nowhere comes last.
    let mut path = vec![authority];
    while let Some(below) = path.last().and_then(|entry| entry.facts.as_deref()) {
        let issuer = above.iter().position(|entry| {
            entry.facts.as_ref().is_some_and(|facts| facts.subject_der == below.issuer_der)
        });
        match issuer {
            Some(at) => path.push(above.remove(at)),
            None => break,
        }
    }
    path.extend(above);
    for entry in path.iter().rev() {
        page.push_str("<ul class=\"tree\">\n<li>");
        node(page, entry, inventory)?;
        page.push('\n');
    }
    page.push_str("<ul class=\"tree\">\n");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in of_role(Role::Issued) {
        if entry.facts.as_ref().is_some_and(|facts| facts.is_authority) {
            page.push_str("<li>");
            node(page, entry, inventory)?;
            page.push_str("</li>\n");
        } else {
            *kinds.entry(entry.kind()).or_default() += 1;
        }
    }
    for (kind, count) in kinds {
        let kind = if kind.is_empty() { "of another type" } else { kind };
        let noun = if count == 1 { "certificate" } else { "certificates" };
        writeln!(page, "<li>{count} {noun}: {}</li>", Html(kind))?;
    }
    page.push_str("</ul>\n");
    for _ in path {
        page.push_str("</li>\n</ul>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn node(page: &mut String, entry: &Entry, inventory: &Inventory) -> fmt::Result {
    let name = entry.common_name.as_deref().unwrap_or(&entry.name);
    let urgency = class(entry.urgency(inventory.now));
    write!(
        page,
        "<span class=\"{urgency}\"><strong><bdi>{}</bdi></strong> {}",
        Html(name),
        words(entry.status)
    )?;
    if let Some(end) = entry.not_after {
        write!(page, ", ends {}", Time(end))?;
    }
    page.push_str("</span>");
    Ok(())
}
