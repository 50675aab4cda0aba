# Raspberry Pi Pico without a radio, made fit for the net: MicroPython's own definition, and lwIP.
include(${MICROPY_PORT_DIR}/boards/RPI_PICO/mpconfigboard.cmake)
set(MICROPY_PY_LWIP ON)

# The names of its pins, which the port looks for in this folder only.
set(GEN_PINS_BOARD_CSV ${MICROPY_PORT_DIR}/boards/RPI_PICO/pins.csv)
set(GEN_PINS_CSV_ARG --board-csv ${GEN_PINS_BOARD_CSV})

list(APPEND MICROPY_SOURCE_BOARD ${MICROPY_BOARD_DIR}/../romfs_info.c)
include(${MICROPY_BOARD_DIR}/../ppp.cmake)
