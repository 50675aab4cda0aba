// What lwIP has on its way over PPP fits the UART's buffers of 4096 bytes: four segments, with their headers and what PPP
// escapes.  MicroPython's eight do not: the program stands still until the line has room for the rest.
// (extmod/lwip-include/lwipopts_common.h takes all of these, or its own.)
#define MEM_SIZE (8000)
#define TCP_MSS (800)
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define MEMP_NUM_TCP_SEG (32)
