# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A client of the daemon's socket that keeps its connection, for tests that ask
# thousands of times.  It knows as little as possible: a call is a method's name
# and its parameters as JSON text, an answer is JSON text.
package Varlink;
use strict;
use warnings;
use Socket;

my $path = '/run/rootview/io.rootview';

# Varlink->new: undef if nobody listens.
sub new
{
	my ($class) = @_;

	socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	connect($socket, pack_sockaddr_un($path)) or return undef;
	return bless { socket => $socket, read => '' }, $class;
}

# The bytes of a call.
sub message
{
	my ($method, $parameters) = @_;

	$method = "io.rootview.$method" unless $method =~ /\./;
	return "{\"method\":\"$method\",\"parameters\":" . ($parameters || '{}') . "}\0";
}

# send(BYTES): false if the connection has ended.
sub send
{
	my ($self, $bytes) = @_;

	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes) {
		my $n = syswrite($self->{socket}, $bytes) or return 0;
		substr($bytes, 0, $n) = '';
	}
	return 1;
}

# receive: the next answer; undef if the connection has ended.
sub receive
{
	my ($self) = @_;
	my $end;

	while (($end = index($self->{read}, "\0")) < 0) {
		sysread($self->{socket}, $self->{read}, 1 << 16, length $self->{read})
			or return undef;
	}
	my $answer = substr($self->{read}, 0, $end);
	substr($self->{read}, 0, $end + 1) = '';
	return $answer;
}

# call(METHOD, PARAMETERS): its answer; undef if the connection has ended.
sub call
{
	my ($self, $method, $parameters) = @_;

	$self->send(message($method, $parameters)) or return undef;
	return $self->receive;
}

# error(ANSWER): the error's name without that of our interface; '' if there is none.
sub error
{
	my ($answer) = @_;

	return $answer =~ /"error":"(?:io\.rootview\.)?([^"]*)"/ && $answer !~ /^\{"parameters"/ ?
		$1 : '';
}

# filter: answers lines of "METHOD PARAMETERS" with a line each.  A connection
# that ends is such an answer, too; the next call is made over a new one.
sub filter
{
	my $client;

	$| = 1;
	while (my $line = <STDIN>) {
		my ($method, $parameters) = split / /, $line, 2;
		chomp($method, $parameters //= '');
		$client //= Varlink->new or die "nobody listens on $path\n";
		my $answer = $client->call($method, $parameters);
		$client = undef unless defined $answer;
		print $answer // 'the connection has ended', "\n";
	}
}

1;
