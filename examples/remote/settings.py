# What differs from board to board. These pins are those of a Raspberry Pi Pico.

# Who has the page may switch, unless there is a token: then the page asks for it, once in each browser. It travels as it is:
# use TLS where others can listen.
TOKEN = ""

LAMP = "LED"  # the board's own
RELAY = 14
DIMMER = 15
SERVO = 16
