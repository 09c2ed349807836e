// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

class ServiceManagerTest : public TempDir {
 protected:
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    TempDir::TearDown();
  }
};

TEST_F(ServiceManagerTest, IsToldOnItsSocket) {
  const std::string path = dir_ + "/notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ASSERT_TRUE(NotifyServiceManager("READY=1").ok());
  std::array<char, 64> buffer{};
  EXPECT_EQ(::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT), 7);
  EXPECT_STREQ(buffer.data(), "READY=1");
  ::close(fd);
}

TEST_F(ServiceManagerTest, NoneIsNoError) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(NotifyServiceManager("READY=1").ok());
}

TEST_F(ServiceManagerTest, ASocketThatIsGoneIsAnError) {
  ::setenv("NOTIFY_SOCKET", (dir_ + "/gone").c_str(), 1);
  EXPECT_FALSE(NotifyServiceManager("READY=1").ok());
}

}  // namespace
}  // namespace evenkeel::daemon
