"""The board (conseil d’administration) of the centre: its sessions, its acts and what becomes of them."""
