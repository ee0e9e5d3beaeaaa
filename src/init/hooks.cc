// Hooks that run in the container's namespaces: createContainer (before the root is switched, so
// its path is the host's) and startContainer (config.md, "POSIX-platform Hooks"). Those of the
// runtime's namespaces are run by ocirt while init waits here.
#include "src/bare/run_hook.h"
#include "src/init/channel.h"
#include "src/init/init.h"
#include "src/init/seccomp.h"

namespace ocirt::init {
namespace {

void run_hooks(const Init& init, plan::List<plan::Hook> hooks, const char* kind,
               const sock_fprog* filter = nullptr) {
  // Nobody would answer a listener of the hook's own: what the agent decides about is ENOSYS here.
  const uint32_t filter_flags = init.plan.process.seccomp_flags &
                                ~static_cast<uint32_t>(SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                                       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  uint32_t index = 0;
  for (const plan::Hook& hook : init.list(hooks)) {
    auto args = init.list(hook.args);
    auto env = init.list(hook.env);
    const auto** argv =
        static_cast<const char**>(__builtin_alloca((args.size() + 1) * sizeof(char*)));
    const auto** envp =
        static_cast<const char**>(__builtin_alloca((env.size() + 1) * sizeof(char*)));
    for (size_t i = 0; i < args.size(); ++i) argv[i] = init.text(args[i]);
    argv[args.size()] = nullptr;
    for (size_t i = 0; i < env.size(); ++i) envp[i] = init.text(env[i]);
    envp[env.size()] = nullptr;
    const char* path = init.text(hook.path);
    bare::HookResult result =
        bare::run_hook({path, argv, envp, hook.timeout_s, init.state, init.plan.hooks_out,
                        init.plan.hooks_err, filter, filter_flags});
    if (result.end != bare::HookEnd::success) {
      bare::Buffer<1024> text;
      bare::describe_hook_failure(text, kind, index, path, result);
      fail_with(init, result.end == bare::HookEnd::not_started ? result.detail : 0, text.view());
    }
    ++index;
  }
}

}  // namespace

void run_create_hooks(Init& init) {
  if (!init.plan.hooks_outside) return;
  tell(init, plan::Word::at_hooks);
  init.state = await(init, plan::Word::hooks_done, true).fd;
  bare::call(SYS_umask, 0022);  // it is 0 for the nodes of /dev
  run_hooks(init, init.plan.create_container, "createContainer");
  bare::call(SYS_umask, 0);
  if (init.state >= 0) bare::close(init.state);
  init.state = -1;
}

void run_start_hooks(Init& init) {
  // A startContainer hook is a program of the image: it must not get what the container's own may
  // not have. Without no_new_privs the filter is in force by now.
  const plan::Process& process = init.plan.process;
  auto words = init.list(process.seccomp);
  const sock_fprog program = filter_program(words);
  const bool missing = process.no_new_privileges && !words.empty();
  run_hooks(init, init.plan.start_container, "startContainer", missing ? &program : nullptr);
  if (init.state >= 0) bare::close(init.state);
  init.state = -1;
}

}  // namespace ocirt::init
