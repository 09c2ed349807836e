// SPDX-License-Identifier: Apache-2.0
//
// Answers as they come, in pieces of every size.
#include <gtest/gtest.h>

#include "control/probe/body_search.h"
#include "control/probe/grpc_health.h"

namespace evenkeel::probe {
namespace {

using namespace std::string_literals;

TEST(BodySearchTest, FindsATextHoweverItIsCut) {
  const std::string body = "aaab aab aaaab";
  for (const std::string& text : {"aab"s, "aaaab"s, "b aab"s, "a"s, body}) {
    for (size_t size = 1; size <= body.size(); ++size) {
      BodySearch search;
      search.Start(text);
      for (size_t at = 0; at < body.size(); at += size) search.Add(body.substr(at, size));
      EXPECT_TRUE(search.found()) << text << " in pieces of " << size;
    }
  }
  for (const std::string& text : {"aaaaab"s, "ba"s, body + "x"}) {
    BodySearch search;
    search.Start(text);
    for (const char c : body) search.Add({&c, 1});
    EXPECT_FALSE(search.found()) << text;
  }
}

GrpcHealthAnswer Ok(const std::string& body) {
  GrpcHealthAnswer answer;
  answer.AddHeader("HTTP/2 200 \r\n");
  answer.AddHeader("content-type: application/grpc+proto\r\n");
  for (const char c : body) answer.AddBody({&c, 1});
  answer.AddHeader("grpc-status: 0\r\n");
  return answer;
}

TEST(GrpcHealthTest, AsksInOneFrame) {
  EXPECT_EQ(GrpcHealthRequest(""), "\0\0\0\0\0"s);
  EXPECT_EQ(GrpcHealthRequest("ab"), "\0\0\0\0\4\x0a\2ab"s);
}

TEST(GrpcHealthTest, JudgesTheMessage) {
  const struct {
    const char* name;
    std::string body;
    const char* cause;
  } kCases[] = {
      {"serving", "\0\0\0\0\2\x08\1"s, ""},
      {"not serving", "\0\0\0\0\2\x08\2"s, "answers NOT_SERVING"},
      {"unknown", "\0\0\0\0\0"s, "answers UNKNOWN"},
      {"a status to come", "\0\0\0\0\2\x08\7"s, "answers the unknown status 7"},
      {"with a field to come", "\0\0\0\0\4\x08\1\x10\5"s, ""},
      {"nothing", "", "the answer is no message of the health protocol"},
      {"half a frame", "\0\0\0"s, "the answer is no message of the health protocol"},
      {"compressed", "\1\0\0\0\2\x08\1"s, "the answer is no message of the health protocol"},
      {"short", "\0\0\0\0\3\x08\1"s, "the answer is no message of the health protocol"},
      {"two frames", "\0\0\0\0\2\x08\1\0\0\0\0\2\x08\1"s,
       "the answer is no message of the health protocol"},
      {"huge", "\0\0\1\0\0"s + std::string(65536, '\0'),
       "the answer is no message of the health protocol"},
      {"no message", "\0\0\0\0\2\xff\xff"s, "the answer is no message of the health protocol"},
  };
  for (const auto& c : kCases) {
    const Outcome outcome = Ok(c.body).Judge("", 200, true);
    EXPECT_EQ(outcome.cause, c.cause) << c.name;
    EXPECT_EQ(outcome.healthy, outcome.cause.empty()) << c.name;
    EXPECT_FALSE(outcome.own_fault) << c.name;
  }
}

TEST(GrpcHealthTest, JudgesWhatCarriesIt) {
  const std::string serving = "\0\0\0\0\2\x08\1"s;
  EXPECT_EQ(Ok(serving).Judge("", 503, true).cause, "HTTP status 503, no gRPC answer");
  EXPECT_EQ(Ok(serving).Judge("", 200, false).cause, "does not speak HTTP/2, which gRPC needs");
  GrpcHealthAnswer html;
  html.AddHeader("content-type: text/html");
  EXPECT_EQ(html.Judge("", 200, true).cause, "the answer is not gRPC");
  GrpcHealthAnswer cut;
  cut.AddHeader("content-type: application/grpc");
  cut.AddBody(serving);
  EXPECT_EQ(cut.Judge("", 200, true).cause, "the answer has no grpc-status");
  const std::pair<const char*, const char*> kStatuses[] = {
      {"5", "service \"a.B\" is unknown to it (grpc-status 5)"},
      {"12", "does not implement the health protocol (grpc-status 12)"},
      {"14", "grpc-status 14: going away"},
      {"x", "the answer has no grpc-status"},
      {"-1", "the answer has no grpc-status"},
      {"99", "grpc-status 99: going away"},
  };
  for (const auto& [status, cause] : kStatuses) {
    GrpcHealthAnswer answer = Ok(serving);
    answer.AddHeader("Grpc-Status:  "s + status + "\r\n");
    answer.AddHeader("grpc-message: going away\r\n");
    EXPECT_EQ(answer.Judge("a.B", 200, true).cause, cause) << status;
  }
}

}  // namespace
}  // namespace evenkeel::probe
