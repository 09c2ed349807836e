// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::HasSubstr;

class ListenerTest : public ServerFixture {};

TEST_F(ListenerTest, ALiveSocketIsNotTaken) {
  const auto second = Server::Listen(socket_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(socket_));
  EXPECT_TRUE(client_->Get().ok());
}

TEST_F(ListenerTest, AStaleSocketIsReplaced) {
  const std::string path = dir_ + "/stale.sock";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  auto server = Server::Listen(path);
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Serve(engine_.get()).ok());
  EXPECT_TRUE(Connect(path)->Get().ok());
}

TEST_F(ListenerTest, AFileThatIsNoSocketStays) {
  const std::string path = dir_ + "/precious";
  std::ofstream(path) << "data";
  EXPECT_EQ(Server::Listen(path).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::filesystem::file_size(path), 4u);
}

TEST_F(ListenerTest, APathTooLongForASocketIsNamed) {
  const auto server = Server::Listen(dir_ + "/" + std::string(120, 'x'));
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("--socket"));
}

TEST_F(ListenerTest, TheFileGoesWithTheServerButNotAnothersFile) {
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(socket_));
  Serve();
  std::filesystem::remove(socket_);
  std::ofstream(socket_) << "someone else's";
  server_.reset();
  EXPECT_TRUE(std::filesystem::exists(socket_));
}

// The descriptor's number is used again at once; the caller must still be told apart.
TEST_F(ListenerTest, EveryConnectionIsTracedToItsOwnUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  ASSERT_EQ(::chmod(dir_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod((dir_ + "/run").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_.c_str(), 0666), 0);
  int backends = 8;
  for (const uid_t uid : {0u, 12345u, 0u, 23456u}) {
    ASSERT_EQ(::seteuid(uid), 0);
    auto stub = v1::Control::NewStub(MakeChannel());
    grpc::ClientContext context;
    v1::ApplyResponse response;
    v1::ApplyRequest request = MakeApply(engine::MakeConfig(++backends));
    const grpc::Status status = stub->Apply(&context, request, &response);
    stub.reset();
    ASSERT_EQ(::seteuid(0), 0);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.applied().author(), uid == 0 ? "uid 0 (root)" : absl::StrCat("uid ", uid));
  }
}

}  // namespace
}  // namespace evenkeel::rpc
