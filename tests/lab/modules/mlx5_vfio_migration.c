// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: migration states (VFIO migration v2), with STOP_COPY, P2P and PRE_COPY.
 *
 * The VFIO core breaks each change that a user asks for into steps along the arcs of include/uapi/linux/vfio.h; step()
 * carries out one. P2P states stop the device altogether here: it starts no transfer and takes no frame.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include "mlx5_vfio.h"

/** mlx5_vfio_migration_init() - prepare the migration part of a new device */
void mlx5_vfio_migration_init(struct mlx5_vfio_device *device)
{
	mutex_init(&device->migration.state_mutex);
	mutex_init(&device->migration.reset_lock);
}

/**
 * set_running() - stop or start a device
 * @device:	the device
 * @running:	what it shall do; nothing of it moves after a stop returns
 */
static void set_running(struct mlx5_vfio_device *device, bool running)
{
	mutex_lock(&device->lock);
	WRITE_ONCE(device->running, running);
	mutex_unlock(&device->lock);
	if (running)
		mlx5_vfio_kick(device);
}

/**
 * unlock_state() - leave a change of state, and carry out a reset that came meanwhile
 * @device:	the device, state_mutex held
 *
 * Source for the pattern: state_mutex and deferred_reset in drivers/vfio/pci/mlx5/main.c of Linux 6.12.
 */
static void unlock_state(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_migration *migration = &device->migration;

	mutex_lock(&migration->reset_lock);
	while (migration->deferred_reset) {
		migration->deferred_reset = false;
		mutex_unlock(&migration->reset_lock);
		migration->state = VFIO_DEVICE_STATE_RUNNING;
		mlx5_vfio_stream_close(&migration->saving);
		mlx5_vfio_stream_close(&migration->resuming);
		set_running(device, true);
		mutex_lock(&migration->reset_lock);
	}
	mutex_unlock(&migration->state_mutex);
	mutex_unlock(&migration->reset_lock);
}

/**
 * mlx5_vfio_migration_reset() - a reset puts the device into state RUNNING
 * @device:	the device
 */
void mlx5_vfio_migration_reset(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_migration *migration = &device->migration;
	bool locked;

	mutex_lock(&migration->reset_lock);
	migration->deferred_reset = true;
	locked = mutex_trylock(&migration->state_mutex);
	mutex_unlock(&migration->reset_lock);
	if (locked)
		unlock_state(device);
}

/** mlx5_vfio_migration_close() - the user is gone: end its streams */
void mlx5_vfio_migration_close(struct mlx5_vfio_device *device)
{
	mutex_lock(&device->migration.state_mutex);
	mlx5_vfio_stream_close(&device->migration.saving);
	mlx5_vfio_stream_close(&device->migration.resuming);
	mutex_unlock(&device->migration.state_mutex);
}

/**
 * begin_precopy() - to PRE_COPY or PRE_COPY_P2P
 *
 * Return: the stream's file for the user, or an ERR_PTR, also of the injected errno
 */
static struct file *begin_precopy(struct mlx5_vfio_device *device)
{
	int ret = swcx7_fault_take(&device->vport->pf->fault_precopy, NULL, 0);
	struct mlx5_vfio_stream *stream;

	if (ret)
		return ERR_PTR(ret);
	stream = mlx5_vfio_stream_open_save(device);
	if (IS_ERR(stream))
		return ERR_CAST(stream);
	mlx5_vfio_stream_add_initial(stream);
	device->migration.saving = stream;
	return mlx5_vfio_stream_get_file(stream);
}

/**
 * save() - take the state of the stopped device, as SAVE_VHCA_STATE does
 * @device:	the device, with a stream that is being saved
 *
 * An injected fault is met by the one who reads the stream.
 */
static void save(struct mlx5_vfio_device *device)
{
	struct swcx7_pf *pf = device->vport->pf;
	int ret = swcx7_fault_take(&pf->fault_state_save, NULL, 0);

	if (ret) {
		dev_err(&device->pdev->dev, "SAVE_VHCA_STATE failed, err(%d)\n", ret);
		mlx5_vfio_stream_fail(device->migration.saving, ret);
		return;
	}
	msleep(pf->state_save_delay_ms);
	mlx5_vfio_stream_add_final(device->migration.saving);
}

/**
 * begin_stop_copy() - from STOP to STOP_COPY
 *
 * Return: the stream's file for the user, or an ERR_PTR
 */
static struct file *begin_stop_copy(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_stream *stream = mlx5_vfio_stream_open_save(device);

	if (IS_ERR(stream))
		return ERR_CAST(stream);
	device->migration.saving = stream;
	save(device);
	return mlx5_vfio_stream_get_file(stream);
}

/**
 * finish_precopy() - from PRE_COPY_P2P to STOP_COPY: the stream that is open goes on
 *
 * Return: NULL, the user has the file already
 */
static struct file *finish_precopy(struct mlx5_vfio_device *device)
{
	set_running(device, false);
	save(device);
	return NULL;
}

/**
 * begin_resume() - from STOP to RESUMING
 *
 * Return: the stream's file for the user, or an ERR_PTR
 */
static struct file *begin_resume(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_stream *stream = mlx5_vfio_stream_open_resume(device);

	if (IS_ERR(stream))
		return ERR_CAST(stream);
	device->migration.resuming = stream;
	return mlx5_vfio_stream_get_file(stream);
}

/**
 * finish_resume() - from RESUMING to STOP
 *
 * Return: NULL or an ERR_PTR
 */
static struct file *finish_resume(struct mlx5_vfio_device *device)
{
	int ret = mlx5_vfio_stream_load(device->migration.resuming);

	if (!ret)
		mlx5_vfio_stream_close(&device->migration.resuming);
	return ERR_PTR(ret);
}

/** stop() - stop the device; no stream is concerned */
static struct file *stop(struct mlx5_vfio_device *device)
{
	set_running(device, false);
	return NULL;
}

/** start() - let the device run; no stream is concerned */
static struct file *start(struct mlx5_vfio_device *device)
{
	set_running(device, true);
	return NULL;
}

/** nothing() - a step in which nothing changes but the name of the state */
static struct file *nothing(struct mlx5_vfio_device *device)
{
	return NULL;
}

/** end_saving() - the stream that is being saved is not wanted any more */
static struct file *end_saving(struct mlx5_vfio_device *device)
{
	mlx5_vfio_stream_close(&device->migration.saving);
	return NULL;
}

/* All arcs that the VFIO core uses with our flags. */
static const struct arc {
	enum vfio_device_mig_state from, to;
	struct file *(*carry_out)(struct mlx5_vfio_device *device);
} arcs[] = {
	{ VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P, stop },
	{ VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP, nothing },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P, nothing },
	{ VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_RUNNING, start },
	{ VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY, begin_precopy },
	{ VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY_P2P, begin_precopy },
	{ VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P, stop },
	{ VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_PRE_COPY, start },
	{ VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_RUNNING, end_saving },
	{ VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_RUNNING_P2P, end_saving },
	{ VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_STOP_COPY, finish_precopy },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY, begin_stop_copy },
	{ VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_STOP, end_saving },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING, begin_resume },
	{ VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP, finish_resume },
};

/**
 * step() - carry out one step
 * @device:	the device, state_mutex held
 * @next:	state to go to
 *
 * Return: a file for the user, NULL for none, or an ERR_PTR
 */
static struct file *step(struct mlx5_vfio_device *device, enum vfio_device_mig_state next)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(arcs); i++)
		if (arcs[i].from == device->migration.state && arcs[i].to == next)
			return arcs[i].carry_out(device);
	return ERR_PTR(-EINVAL);
}

/**
 * set_state() - vfio_migration_ops.migration_set_state
 *
 * Return: a file for the user, NULL for none, or an ERR_PTR; after an error the state is the last one reached
 */
static struct file *set_state(struct vfio_device *vdev, enum vfio_device_mig_state wanted)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	mutex_lock(&device->migration.state_mutex);
	while (device->migration.state != wanted) {
		ret = vfio_mig_get_next_state(vdev, device->migration.state, wanted, &next);
		if (ret) {
			file = ERR_PTR(ret);
			break;
		}
		file = step(device, next);
		if (IS_ERR(file))
			break;
		device->migration.state = next;
		/* A stream for the user belongs to the last step only. */
		if (WARN_ON(file && next != wanted)) {
			fput(file);
			file = ERR_PTR(-EINVAL);
			break;
		}
	}
	unlock_state(device);
	return file;
}

/** get_state() - vfio_migration_ops.migration_get_state */
static int get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	mutex_lock(&device->migration.state_mutex);
	*state = device->migration.state;
	unlock_state(device);
	return 0;
}

/** get_data_size() - vfio_migration_ops.migration_get_data_size: bytes of STOP_COPY */
static int get_data_size(struct vfio_device *vdev, unsigned long *bytes)
{
	*bytes = mlx5_vfio_stream_size(mlx5_vfio_of(vdev));
	return 0;
}

const struct vfio_migration_ops mlx5_vfio_migration_ops = {
	.migration_set_state = set_state,
	.migration_get_state = get_state,
	.migration_get_data_size = get_data_size,
};
