// What a CRI pod has on the host beside its containers, made before the first of them and taken
// away after the last. Everything here runs in a worker.
#pragma once

#include <sys/types.h>

#include "src/base/result.h"
#include "src/shim/cri_pod.h"
#include "src/shim/worker.h"

namespace ocirt::shim {

// Makes the files, and what the namespaces are to have in them. `holder` keeps these at
// /proc/HOLDER/ns, unless the pod has a user namespace: then they are made here, with it. Answers
// the process that stands for them, if there is one (CriPod::has_process): it is in all of the
// pod's namespaces. What fails is undone by another worker, with unmake_cri_place().
Result<Done> make_cri_place(const CriPod& pod, const CriPlaces& places, pid_t holder);

// containerd takes its directories for nobody's when it is started again (1.7), and removes them:
// whether they are there, and to make them again for the containers that are still to come.
bool has_files(const CriPod& pod, const CriPlaces& places);
Result<Done> make_files_again(const CriPod& pod, const CriPlaces& places);

// Takes everything away; what is not there is no error. Also of a shim that was killed.
Result<> unmake_cri_place(const CriPlaces& places);

// What the whole pod has used: the figures of the containers' parent cgroup.
Result<Done> cri_metrics(const CriPod& pod, const std::string& id);

}  // namespace ocirt::shim
