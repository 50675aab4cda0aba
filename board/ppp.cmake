# PPP as MicroPython 1.25 has it, made fit for a server: see the two headers.
set_source_files_properties(${MICROPY_DIR}/extmod/network_ppp_lwip.c
    PROPERTIES COMPILE_OPTIONS "-include;${CMAKE_CURRENT_LIST_DIR}/ppp_lock.h")
set_source_files_properties(${MICROPY_DIR}/lib/lwip/src/netif/ppp/pppos.c
    PROPERTIES COMPILE_OPTIONS "-include;${CMAKE_CURRENT_LIST_DIR}/ppp_frame.h")
