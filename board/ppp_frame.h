// PPP has the memory for the frame that it sends.  lwIP would take it from the heap that segments wait in: it is full when a
// reply is longer than the line is fast, and a segment that cannot be sent for that makes MicroPython's socket fail (ENOMEM).
//
// This file is read before lwIP's netif/ppp/pppos.c.  One frame is enough, as `ppp_lock.h` lets PPP send one at a time.
#include "lwip/pbuf.h"

static struct pbuf *ppp_pbuf_alloc(pbuf_layer layer, u16_t length, pbuf_type type) {
    static u8_t frame[PBUF_POOL_BUFSIZE];
    static struct pbuf kept;
    if (type != PBUF_RAM) {
        return pbuf_alloc(layer, length, type);
    }
    kept = (struct pbuf) {
        .payload = frame,
        .len = length,
        .tot_len = length,
        .type_internal = PBUF_ROM,
        .ref = 2, // one more than its user gives back: it is never freed
    };
    return &kept;
}

#define pbuf_alloc ppp_pbuf_alloc
