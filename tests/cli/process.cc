// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace evenkeel::cli {
namespace {

constexpr std::chrono::seconds kLimit{20};
constexpr uid_t kNobody = 65534;

using Clock = std::chrono::steady_clock;

[[noreturn]] void Exec(const std::string& path, const Launch& launch) {
  if (launch.as_nobody && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(126);
  std::vector<std::string> env = {"PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : launch.env) env.push_back(name + "=" + value);
  std::vector<char*> argv = {const_cast<char*>(path.c_str())}, envp;
  for (const std::string& arg : launch.args) argv.push_back(const_cast<char*>(arg.c_str()));
  for (const std::string& entry : env) envp.push_back(const_cast<char*>(entry.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  execve(path.c_str(), argv.data(), envp.data());
  _exit(127);
}

// Appends what `fd` has; false at its end (a closed pseudo-terminal reads as EIO).
bool Drain(int fd, std::string& to) {
  char buffer[65536];
  const ssize_t n = read(fd, buffer, sizeof(buffer));
  if (n > 0) to.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

void Collect(pid_t child, int out, int err, Finished& finished) {
  const Clock::time_point start = Clock::now();
  pollfd fds[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(start + kLimit - Clock::now());
    if (left.count() <= 0 || poll(fds, 2, static_cast<int>(left.count())) == 0) {
      ADD_FAILURE() << "still running after " << kLimit.count() << " s";
      kill(child, SIGKILL);
      break;
    }
    if (fds[0].revents != 0 && !Drain(out, finished.out)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !Drain(err, finished.err)) fds[1].fd = -1;
  }
  int status = 0;
  waitpid(child, &status, 0);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  finished.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

}  // namespace

std::string EvenkeelPath() { return std::string(EK_BINARY_DIR) + "/bin/evenkeel"; }

Finished RunEvenkeel(const Launch& launch) {
  Launch alone = launch;
  alone.env.emplace("EVENKEEL_SOCKET", "/nonexistent/evenkeeld.sock");
  return RunProgram(EvenkeelPath(), alone);
}

Finished RunProgram(const std::string& path, const Launch& launch) {
  Finished finished;
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
      (launch.on_terminal ? openpty(&out[0], &out[1], nullptr, nullptr, nullptr)
                          : pipe2(out, O_CLOEXEC)) != 0) {
    ADD_FAILURE() << "no pipe";
    return finished;
  }
  if (launch.on_terminal) fcntl(out[0], F_SETFD, FD_CLOEXEC);
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(launch.on_terminal ? out[1] : err[1], STDERR_FILENO);
    Exec(path, launch);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  const ssize_t written = write(in[1], launch.in.data(), launch.in.size());
  EXPECT_EQ(written, static_cast<ssize_t>(launch.in.size()));
  close(in[1]);
  Collect(child, out[0], err[0], finished);
  close(out[0]);
  close(err[0]);
  return finished;
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "evenkeel-cli-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Write(const std::string& name, const std::string& text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
  return Path(name);
}

}  // namespace evenkeel::cli
