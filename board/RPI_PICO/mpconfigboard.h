// Raspberry Pi Pico without a radio, made fit for the net: sockets and TLS over PPP on a UART, and a partition
// for applications that run from where they lie.
#include "ports/rp2/boards/RPI_PICO/mpconfigboard.h"

#define MICROPY_PY_NETWORK (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "pico"
#define MICROPY_PY_NETWORK_PPP_LWIP (1)
#include "../ppp_windows.h"

// Of the 2 MiB of flash: 768 KiB of code, 256 KiB of ROMFS, and files in the rest.
#undef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (1024 * 1024)
#define MICROPY_HW_ROMFS_BYTES (256 * 1024)
