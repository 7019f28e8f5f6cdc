// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: data streams of migration.
 *
 * A stream is a sequence of records: a header that names the card's firmware and PSID, the device state, and filler bytes
 * (state_filler_bytes, to make a state as big as one likes). PRE_COPY sends an initial record while the guest runs, STOP_COPY
 * the final one, which counts. A record from a card with another firmware or PSID is refused while it is being written, as
 * the real firmware refuses to load it, so that the migration fails before the source is given up.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "mlx5_vfio.h"

#define RECORD_MAGIC	0x37584357
#define RECORD_VERSION	3

enum record_kind { RECORD_INITIAL = 1, RECORD_FINAL = 2 };

/*
 * struct record_header - begins a record; little endian as everything here is x86
 * @magic, @version: RECORD_MAGIC, RECORD_VERSION
 * @kind:	enum record_kind
 * @state_bytes: size of the device state that follows
 * @filler_bytes: bytes after the device state, without meaning
 * @firmware, @psid, @capability_word: of the card that saved it
 */
struct record_header {
	u32 magic;
	u16 version, kind;
	u64 state_bytes, filler_bytes;
	char firmware[SWCX7_VERSION_LEN];
	char psid[SWCX7_PSID_LEN];
	u32 capability_word;
} __packed;

struct record {
	struct record_header header;
	struct mlx5_vfio_state state;
} __packed;

/*
 * struct mlx5_vfio_stream - an open stream
 * @file:	for the user; it owns the stream
 * @device:	the device
 * @lock:	covers what follows
 * @disabled:	the device has left the states in which the stream is of use
 * @error:	saving: negative errno that reads return once the final record was due
 * @records:	saving: initial and final record. resuming: [0] is the one being written
 * @count:	saving: records so far
 * @current_record: saving: record being read
 * @has_final:	saving: no record will follow. resuming: @loaded is complete
 * @pos:	bytes of the current record read or written
 * @loaded:	resuming: the state of the final record
 */
struct mlx5_vfio_stream {
	struct file *file;
	struct mlx5_vfio_device *device;
	struct mutex lock;
	bool disabled;
	int error;
	struct record records[2];
	int count, current_record;
	bool has_final;
	u64 pos;
	struct mlx5_vfio_state loaded;
};

/** stream_release() - file_operations.release: the user closed the file and the device let go of it */
static int stream_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/** record_size() - size of a record with its filler, in bytes */
static u64 record_size(const struct record *record)
{
	return sizeof(*record) + record->header.filler_bytes;
}

/**
 * read_part() - copy the next part of the current record to the user
 * @stream:	the stream, locked
 * @user:	where to
 * @count:	room, in bytes
 *
 * Return: bytes copied, at least 1; or -EFAULT
 */
static ssize_t read_part(struct mlx5_vfio_stream *stream, char __user *user, size_t count)
{
	const struct record *record = &stream->records[stream->current_record];
	unsigned long missed;
	size_t part;

	if (stream->pos < sizeof(*record)) {
		part = min_t(u64, count, sizeof(*record) - stream->pos);
		missed = copy_to_user(user, (const u8 *)record + stream->pos, part);
	} else {
		part = min_t(u64, count, record_size(record) - stream->pos);
		missed = clear_user(user, part);
	}
	if (missed)
		return -EFAULT;
	stream->pos += part;
	if (stream->pos == record_size(record)) {
		stream->current_record++;
		stream->pos = 0;
	}
	return part;
}

/**
 * save_read() - file_operations.read of a stream that is being saved
 *
 * Return: bytes read; 0 at the end; -ENOMSG when the rest comes with STOP_COPY; the injected or another negative errno
 */
static ssize_t save_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	struct mlx5_vfio_stream *stream = file->private_data;
	ssize_t part = 0, done = 0;

	mutex_lock(&stream->lock);
	while (!stream->disabled && done < count && stream->current_record < stream->count) {
		part = read_part(stream, user + done, count - done);
		if (part < 0)
			break;
		done += part;
	}
	if (stream->disabled)
		done = -ENODEV;
	else if (part < 0)
		done = part;
	else if (!done && stream->error)
		done = stream->error;
	else if (!done && !stream->has_final)
		done = -ENOMSG;
	mutex_unlock(&stream->lock);
	return done;
}

/**
 * save_ioctl() - file_operations.unlocked_ioctl of a stream that is being saved: VFIO_MIG_GET_PRECOPY_INFO
 *
 * Return: 0 or a negative errno
 */
static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned long size = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct mlx5_vfio_stream *stream = file->private_data;
	struct vfio_precopy_info info = {};

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	mutex_lock(&stream->lock);
	if (stream->disabled || stream->has_final) {
		mutex_unlock(&stream->lock);
		return -EINVAL;
	}
	info.initial_bytes = stream->current_record < stream->count ? record_size(&stream->records[0]) - stream->pos : 0;
	info.dirty_bytes = 0;
	mutex_unlock(&stream->lock);
	return copy_to_user((void __user *)arg, &info, size) ? -EFAULT : 0;
}

/**
 * check_header() - may this card load a record?
 * @stream:	the stream
 * @header:	complete header
 *
 * Return: 0 or -EINVAL
 */
static int check_header(struct mlx5_vfio_stream *stream, const struct record_header *header)
{
	const struct swcx7_pf *pf = stream->device->vport->pf;
	struct device *dev = &stream->device->pdev->dev;

	if (header->magic != RECORD_MAGIC || header->version != RECORD_VERSION ||
	    header->state_bytes != sizeof(struct mlx5_vfio_state)) {
		dev_err(dev, "migration data is not of a software ConnectX-7\n");
		return -EINVAL;
	}
	if (strncmp(header->firmware, pf->firmware, sizeof(header->firmware)) ||
	    strncmp(header->psid, pf->psid, sizeof(header->psid))) {
		dev_err(dev, "LOAD_VHCA_STATE failed: state of firmware %.*s, PSID %.*s does not fit firmware %s, PSID %s\n",
			(int)sizeof(header->firmware), header->firmware, (int)sizeof(header->psid), header->psid,
			pf->firmware, pf->psid);
		return -EINVAL;
	}
	if (header->capability_word != pf->capability_word) {
		dev_err(dev, "LOAD_VHCA_STATE failed: state of a function with other capabilities\n");
		return -EINVAL;
	}
	return 0;
}

/**
 * finish_record() - a record has been written completely
 * @stream:	the stream, locked
 *
 * Return: 0, or the injected errno of the final record
 */
static int finish_record(struct mlx5_vfio_stream *stream)
{
	struct swcx7_pf *pf = stream->device->vport->pf;
	int ret;

	stream->pos = 0;
	if (stream->records[0].header.kind != RECORD_FINAL)
		return 0;
	msleep(pf->state_load_delay_ms);
	ret = swcx7_fault_take(&pf->fault_state_load, NULL, 0);
	if (ret) {
		dev_err(&stream->device->pdev->dev, "LOAD_VHCA_STATE failed, err(%d)\n", ret);
		return ret;
	}
	stream->loaded = stream->records[0].state;
	stream->has_final = true;
	return 0;
}

/**
 * write_part() - take the next part of the current record from the user
 * @stream:	the stream, locked
 * @user:	where from
 * @count:	bytes there
 *
 * Return: bytes taken, at least 1; or a negative errno
 */
static ssize_t write_part(struct mlx5_vfio_stream *stream, const char __user *user, size_t count)
{
	struct record *record = &stream->records[0];
	size_t part;
	int ret = 0;

	if (stream->pos < sizeof(record->header))
		part = min_t(u64, count, sizeof(record->header) - stream->pos);
	else if (stream->pos < sizeof(*record))
		part = min_t(u64, count, sizeof(*record) - stream->pos);
	else
		part = min_t(u64, count, record_size(record) - stream->pos);
	if (stream->pos < sizeof(*record) && copy_from_user((u8 *)record + stream->pos, user, part))
		return -EFAULT;
	stream->pos += part;
	if (stream->pos == sizeof(record->header))
		ret = check_header(stream, &record->header);
	else if (stream->pos >= sizeof(*record) && stream->pos == record_size(record))
		ret = finish_record(stream);
	return ret ?: part;
}

/**
 * resume_write() - file_operations.write of a stream that is being loaded
 *
 * Return: @count or a negative errno
 */
static ssize_t resume_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	struct mlx5_vfio_stream *stream = file->private_data;
	ssize_t part = 0;
	size_t done = 0;

	mutex_lock(&stream->lock);
	if (stream->disabled)
		part = -ENODEV;
	while (part >= 0 && done < count) {
		part = write_part(stream, user + done, count - done);
		if (part > 0)
			done += part;
	}
	mutex_unlock(&stream->lock);
	return part < 0 ? part : count;
}

static const struct file_operations save_fops = {
	.owner = THIS_MODULE,
	.read = save_read,
	.unlocked_ioctl = save_ioctl,
	.release = stream_release,
};

static const struct file_operations resume_fops = {
	.owner = THIS_MODULE,
	.write = resume_write,
	.release = stream_release,
};

/**
 * open_stream() - make an empty stream
 * @device:	the device
 * @fops:	save_fops or resume_fops
 * @flags:	O_RDONLY or O_WRONLY
 *
 * Return: the stream, or an ERR_PTR
 */
static struct mlx5_vfio_stream *open_stream(struct mlx5_vfio_device *device, const struct file_operations *fops, int flags)
{
	struct mlx5_vfio_stream *stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->device = device;
	mutex_init(&stream->lock);
	file = anon_inode_getfile("mlx5vf_mig", fops, stream, flags);
	if (IS_ERR(file)) {
		kfree(stream);
		return ERR_CAST(file);
	}
	stream_open(file->f_inode, file);
	stream->file = file;
	return stream;
}

/** mlx5_vfio_stream_open_save() - make an empty stream for the user to read; see open_stream() */
struct mlx5_vfio_stream *mlx5_vfio_stream_open_save(struct mlx5_vfio_device *device)
{
	return open_stream(device, &save_fops, O_RDONLY);
}

/** mlx5_vfio_stream_open_resume() - make an empty stream for the user to write; see open_stream() */
struct mlx5_vfio_stream *mlx5_vfio_stream_open_resume(struct mlx5_vfio_device *device)
{
	return open_stream(device, &resume_fops, O_WRONLY);
}

/** mlx5_vfio_stream_get_file() - a reference to the stream's file, for the user */
struct file *mlx5_vfio_stream_get_file(struct mlx5_vfio_stream *stream)
{
	return get_file(stream->file);
}

/**
 * mlx5_vfio_stream_close() - the device lets go of a stream; the user's reads and writes fail from now on
 * @stream:	where it is kept; may be NULL inside, is NULL afterwards
 */
void mlx5_vfio_stream_close(struct mlx5_vfio_stream **stream)
{
	struct mlx5_vfio_stream *old = *stream;

	if (!old)
		return;
	*stream = NULL;
	mutex_lock(&old->lock);
	old->disabled = true;
	mutex_unlock(&old->lock);
	fput(old->file);
}

/**
 * add_record() - append the present state of the device
 * @stream:	stream that is being saved, with room
 * @kind:	which record
 * @filler:	bytes of filler
 */
static void add_record(struct mlx5_vfio_stream *stream, enum record_kind kind, u64 filler)
{
	struct mlx5_vfio_device *device = stream->device;
	struct record *record;

	mutex_lock(&stream->lock);
	record = &stream->records[stream->count++];
	record->header.magic = RECORD_MAGIC;
	record->header.version = RECORD_VERSION;
	record->header.kind = kind;
	record->header.state_bytes = sizeof(record->state);
	record->header.filler_bytes = filler;
	strscpy(record->header.firmware, device->vport->pf->firmware, sizeof(record->header.firmware));
	strscpy(record->header.psid, device->vport->pf->psid, sizeof(record->header.psid));
	record->header.capability_word = device->vport->pf->capability_word;
	mutex_lock(&device->lock);
	record->state = device->state;
	mutex_unlock(&device->lock);
	stream->has_final = kind == RECORD_FINAL;
	mutex_unlock(&stream->lock);
}

/** mlx5_vfio_stream_add_initial() - append the record of PRE_COPY; the guest runs */
void mlx5_vfio_stream_add_initial(struct mlx5_vfio_stream *stream)
{
	add_record(stream, RECORD_INITIAL, 0);
}

/** mlx5_vfio_stream_add_final() - append the record of STOP_COPY; the guest is stopped */
void mlx5_vfio_stream_add_final(struct mlx5_vfio_stream *stream)
{
	add_record(stream, RECORD_FINAL, stream->device->vport->pf->state_filler_bytes);
}

/**
 * mlx5_vfio_stream_fail() - the final record could not be made: let the user's reads fail
 * @stream:	stream that is being saved
 * @error:	negative errno for them
 *
 * On the card saving is asynchronous too: its failure is seen by the reader, not by who asked for STOP_COPY.
 */
void mlx5_vfio_stream_fail(struct mlx5_vfio_stream *stream, int error)
{
	mutex_lock(&stream->lock);
	stream->error = error;
	mutex_unlock(&stream->lock);
}

/**
 * mlx5_vfio_stream_load() - give the device the state that was written to a stream
 * @stream:	stream that is being loaded
 *
 * Return: 0, or -EINVAL when the final record is not there
 */
int mlx5_vfio_stream_load(struct mlx5_vfio_stream *stream)
{
	struct mlx5_vfio_device *device = stream->device;
	int ret = 0;

	mutex_lock(&stream->lock);
	if (stream->has_final && !stream->pos) {
		mutex_lock(&device->lock);
		device->state = stream->loaded;
		ether_addr_copy(device->vport->mac, device->state.mac);
		mutex_unlock(&device->lock);
	} else {
		ret = -EINVAL;
	}
	mutex_unlock(&stream->lock);
	return ret;
}

/** mlx5_vfio_stream_size() - bytes that a device's final record would take now */
u64 mlx5_vfio_stream_size(struct mlx5_vfio_device *device)
{
	return sizeof(struct record) + device->vport->pf->state_filler_bytes;
}
