#include <unistd.h>
#include <cstdlib>
namespace __gnu_cxx { void __verbose_terminate_handler() { static const char t[]="ocirt: terminated\n"; (void)!write(2,t,sizeof t-1); abort(); } }
