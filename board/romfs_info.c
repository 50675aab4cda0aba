// Tell tools that read an image ("binary info") where its ROMFS partition is, as MicroPython itself does from 1.26 on.
#include "py/mpconfig.h"
#include "pico/binary_info.h"
#include "hardware/flash.h"

#if MICROPY_HW_ROMFS_BYTES > 0 && MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 26, 0)
bi_decl(bi_block_device(
    BINARY_INFO_MAKE_TAG('M', 'P'),
    "ROMFS",
    XIP_BASE + PICO_FLASH_SIZE_BYTES - MICROPY_HW_FLASH_STORAGE_BYTES - MICROPY_HW_ROMFS_BYTES,
    MICROPY_HW_ROMFS_BYTES,
    NULL,
    BINARY_INFO_BLOCK_DEV_FLAG_READ | BINARY_INFO_BLOCK_DEV_FLAG_WRITE | BINARY_INFO_BLOCK_DEV_FLAG_PT_NONE));
#endif
