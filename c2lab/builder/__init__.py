"""The net builder without its browser: a net under edit, and the commands that a canvas sends."""
