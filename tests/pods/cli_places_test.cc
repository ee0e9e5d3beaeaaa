// Where ocirt-pod and the mounts of a pod have their places.
#include <sys/stat.h>

#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

TEST_F(PodCli, DirectoriesMayBeRelative) {
  const std::string work = scratch() + "/work";
  ASSERT_EQ(::mkdir(work.c_str(), 0700), 0);
  const auto there = [&](Args words) {
    Args all = {"--root", "pods", "--state-dir", "state"};
    all.insert(all.end(), words.begin(), words.end());
    Command made = command(all);
    made.directory = work;
    return run_command(std::move(made));
  };
  ASSERT_OK(there({"run", sleeper()}));
  EXPECT_EQ(there({"exec", name_ + "/a", "echo", "in"}).out, "in\n");
  EXPECT_TRUE(exists(work + "/state/" + name_));
  EXPECT_OK(there({"rm", "--force", "--time", "0", "--all"}));
  EXPECT_FALSE(exists(work + "/state/" + name_));
}

// The kubelet makes the mount points, too: nobody can in a volume that is read-only.
TEST_F(PodCli, AProjectedVolumeHasFilesOfTheFileAndThePodsFields) {
  ASSERT_OK(pod(
      {"run", "--ignore-unknown",
       file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
            "    - {name: p, mountPath: /p}\n    - {name: gone, mountPath: /gone}\n"
            "    - {name: p, mountPath: /sub, subPath: d/t}\n",
            "  volumes:\n  - {name: gone, persistentVolumeClaim: {claimName: x}}\n"
            "  - {name: p, projected: {defaultMode: 0440, sources: [{configMap: {name: c}}, "
            "{secret: {name: s, items: [{key: t, path: d/t, mode: 0400}]}}, {serviceAccountToken: "
            "{path: token}}, {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: "
            "metadata.name}}]}}]}}\n",
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'x=1'}\n"
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {t: c2VjcmV0}\n")}));
  EXPECT_EQ(inside("a", "cat /p/a /p/d/t /p/name /sub"), "x=1secret" + name_ + "secret");
  EXPECT_EQ(inside("a", "stat -c %a /p/a /p/d/t; ls /p"), "440\n400\na\nd\nname");
  EXPECT_EQ(inside("a", "echo x > /p/new 2>/dev/null && echo yes || echo no"), "no");
  EXPECT_EQ(inside("a", "test -e /gone && echo yes || echo no"), "no");
}

TEST_F(PodCli, AVolumeMayLieBelowOneThatIsReadOnly) {
  ASSERT_OK(pod(
      {"run", file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
                   "    - {name: keys, mountPath: /conf/deep/key, subPath: k}\n"
                   "    - {name: cache, mountPath: /conf/cache}\n"
                   "    - {name: conf, mountPath: /conf/}\n"
                   "    - {name: keys, mountPath: /conf/cache/keys}\n",
                   "  volumes:\n  - {name: conf, configMap: {name: c}}\n"
                   "  - {name: cache, emptyDir: {}}\n  - {name: keys, secret: {secretName: s}}\n",
                   "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: A}}\n"
                   "---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: "
                   "K}}\n")}));
  EXPECT_EQ(inside("a", "cd /conf; echo *; cat a deep/key cache/keys/k"), "a cache deep\nAKK");
  EXPECT_EQ(inside("a", "echo x > /conf/cache/f && cat /conf/cache/f"), "x");
}

TEST_F(PodCli, AVolumeMayLieBelowAnEmptyDirThatOneContainerReadsOnly) {
  ASSERT_OK(
      pod({"run", file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
                       "    - {name: data, mountPath: /data, readOnly: true}\n"
                       "    - {name: cache, mountPath: /data/deep/cache}\n"
                       "  - name: b\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
                       "    - {name: data, mountPath: /data}\n",
                       "  volumes:\n  - {name: data, emptyDir: {}}\n"
                       "  - {name: cache, emptyDir: {medium: Memory}}\n")}));
  EXPECT_EQ(inside("a", "echo x > /data/deep/cache/f; cat /data/deep/cache/f"), "x");
  EXPECT_EQ(inside("a", "echo x > /data/f 2>/dev/null && echo yes || echo no"), "no");
  EXPECT_EQ(inside("b", "cd /data/deep/cache && ls"), "");
}

}  // namespace
}  // namespace harness
