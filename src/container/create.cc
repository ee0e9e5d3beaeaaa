#include "src/container/create.h"

#include "src/container/new_container.h"

namespace ocirt::container {

Result<Warnings> create(const Store& store, const GlobalOptions& global,
                        const CreateOptions& options, Warnings& complaints) {
  NewContainer made = TRY(make_container(store, global, options, plan::Purpose::create));
  complaints = made.complaints;
  begin_phase(global.timeline, "record");
  TRY(made.record_it(options.pid_file));
  // Init ends by itself if it hears nothing more; once committed it waits for `start` alone.
  TRY(made.init->commit());
  made.commit();
  return std::move(made.warnings);
}

}  // namespace ocirt::container
