#include "src/container/create.h"

#include "src/container/new_container.h"

namespace ocirt::container {

Result<Warnings> create(const Store& store, const GlobalOptions& global,
                        const CreateOptions& options, Warnings& notices) {
  NewContainer made = TRY(make_container(store, global, options, plan::Purpose::create));
  notices = made.notices;
  TRY(made.record_it(options.pid_file));
  // Init ends by itself if it hears nothing more; once committed it waits for `start` alone.
  TRY(made.init->commit());
  made.commit();
  return std::move(made.warnings);
}

}  // namespace ocirt::container
