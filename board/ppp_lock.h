// PPP keeps out of lwIP's way.  MicroPython runs lwIP's timers from an interrupt, and its sockets hold the timers back while
// they are in lwIP; PPP of MicroPython 1.25 does not.  A timer that sends a segment again, while the answer that lets PPP send
// the same one is being read, puts a second header in front of it and ties its queue into a knot: the connection is dead.
//
// This file is read before extmod/network_ppp_lwip.c, and has its calls of lwIP made under the lock that sockets take.
#include "py/mphal.h"
#include "py/stream.h"
#include "extmod/modmachine.h"
#include "netif/ppp/pppapi.h"
#include "netif/ppp/pppos.h"

#define PPP_STUCK_MS (50) // without room for a byte this long, the line takes none: at 9600 baud 32 bytes leave in 34

// Read and write as `mp_stream_rw` does, but for a UART wait for room without letting Python's callbacks run: one of them is
// PPP's own, which enters lwIP anew.  A reply of more than the UART's buffer was cut off there.  What a line that is stuck does
// not take is lost, as on any line: lwIP sends it again, where an error would end the connection.
static mp_uint_t ppp_rw(mp_obj_t stream, void *data, mp_uint_t len, int *error, byte flags) {
    if (!(flags & MP_STREAM_RW_WRITE) || !mp_obj_is_type(stream, &machine_uart_type)) {
        return mp_stream_rw(stream, data, len, error, flags);
    }
    const mp_stream_p_t *uart = mp_get_stream(stream);
    mp_uint_t done = 0;
    for (uint32_t since = mp_hal_ticks_ms(); done < len && mp_hal_ticks_ms() - since <= PPP_STUCK_MS;) {
        if ((uart->ioctl(stream, MP_STREAM_POLL, MP_STREAM_POLL_WR, error) & MP_STREAM_POLL_WR)
            && uart->write(stream, (byte *)data + done, 1, error) == 1) {
            done++;
            since = mp_hal_ticks_ms();
        }
    }
    *error = 0;
    return len;
}

// A macro's own name within what it stands for is the function.
#define PPP_LOCKED(call) ({ \
        MICROPY_PY_LWIP_ENTER \
        __typeof__(call) result = call; \
        MICROPY_PY_LWIP_EXIT \
        result; \
    })
#define pppos_input(...) PPP_LOCKED((pppos_input(__VA_ARGS__), 0))
#define pppos_create(...) PPP_LOCKED(pppos_create(__VA_ARGS__))
#define ppp_connect(...) PPP_LOCKED(ppp_connect(__VA_ARGS__))
#define ppp_close(...) PPP_LOCKED(ppp_close(__VA_ARGS__))
#define ppp_free(...) PPP_LOCKED(ppp_free(__VA_ARGS__))
#define mp_stream_rw ppp_rw
