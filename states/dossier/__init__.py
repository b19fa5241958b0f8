"""The keeping of the dossier itself: opening, papers, delegations, taking back, closing."""
