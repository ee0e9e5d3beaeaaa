// The bytes of ocirt-init inside ocirt. The container's first process is executed from a sealed copy
// of them, so that nothing of the host can be reached through /proc/self/exe (CVE-2019-5736).
// INIT_IMAGE is the path of the program as built; the Makefile gives it and keeps the order.

  .section .rodata.ocirt_init_image, "a"
  .balign 4096
  .global ocirt_init_image
  .type ocirt_init_image, %object
ocirt_init_image:
  .incbin INIT_IMAGE
.Lend:
  .size ocirt_init_image, . - ocirt_init_image

  .balign 8
  .global ocirt_init_image_size
  .type ocirt_init_image_size, %object
ocirt_init_image_size:
#if __SIZEOF_POINTER__ == 8
  .quad .Lend - ocirt_init_image
#else
  .long .Lend - ocirt_init_image
#endif
  .size ocirt_init_image_size, . - ocirt_init_image_size

  .section .note.GNU-stack, "", %progbits
